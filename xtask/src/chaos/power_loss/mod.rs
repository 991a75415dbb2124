//! `cargo xtask chaos --power-loss`: what the service has accepted is there after a loss of power at any moment.
//!
//! The service runs once under load, with a library (tests/power_loss/recorder.c) that records what it writes to its folder and what it
//! syncs; clients note each 202 in the same file. Each cut then takes a moment, rebuilds the folder from what was synced before it and
//! a random part of what was written since, starts the service there, and compares with the 202s before that moment.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! record   what was recorded
//! disk     what a loss of power leaves
//! ```

mod disk;
mod record;

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::load::{Client, Shared};
use super::plan::{Plan, Random};
use super::stage::{self, Recording, Stage};
use super::verdict::{Observed, Promise};
use crate::{places, shell};
use disk::{Disk, Found};
use record::Record;

/// Rounds of the load that is recorded.
const ROUNDS: usize = 8;
/// A run ends with so many cuts that show a loss.
const FAILED_MAX: usize = 3;

/// Records once, and cuts so often.
pub(super) fn run(program: &Path, folder: &Path, (seed, cuts): (u64, usize)) -> Result<()> {
    let recorder = folder.join("recorder.so");
    build(&recorder)?;
    let (home, log) = (folder.join("recorded"), folder.join("log"));
    std::fs::create_dir(&home)?;
    let recording = Recording {
        recorder,
        folder: home.canonicalize()?,
        log: log.clone(),
    };
    let mut stage = Stage::new(program, folder, seed)?;
    stage.data_dir = home.join("serve");
    let promises = record_load(&mut stage, &recording, seed)?;
    let before = stage.observe()?;
    stage.kill_service();
    let bytes = std::fs::read(&log)?;
    let records = record::read(&bytes)?;
    let syncs = records
        .iter()
        .filter(|record| matches!(record, Record::FileSynced { .. }));
    println!(
        "recorded: {} calls with {} syncs, and {} events accepted",
        records.len(),
        syncs.count(),
        promises.len()
    );
    let mut run = Run {
        stage,
        folder: recording.folder,
        promises,
        before,
        failed: vec![],
        checked: 0,
    };
    run.cut_all(&records, seed, cuts)?;
    println!(
        "power loss: {cuts} cuts of seed {seed}, with {} promised deliveries before them; {} with a loss",
        run.checked,
        run.failed.len()
    );
    ensure!(run.failed.is_empty(), "{}", run.failed.join("\n"));
    Ok(())
}

/// Builds the recorder with the C compiler.
fn build(to: &Path) -> Result<()> {
    let mut cc = Command::new("cc");
    cc.args(["-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o"]);
    cc.arg(to).arg(places::root().join("tests/power_loss/recorder.c"));
    cc.args(["-ldl", "-lpthread"]);
    shell::run(cc)
}

/// Runs the service under load from its first start on; what it promised.
fn record_load(stage: &mut Stage, recording: &Recording, seed: u64) -> Result<Vec<Promise>> {
    stage.start_aws()?;
    stage.recording = Some(recording.clone());
    let line = stage.start_service(&["--new-operator-token"])?;
    stage.recording = None;
    stage.furnish(&stage::operator(&line)?)?;
    let notes = File::options().append(true).open(&recording.log)?;
    let shared = Shared::with_notes(notes);
    let plan = Plan::new(seed, ROUNDS + 1);
    let mut clients = stage.clients();
    for round in &plan.rounds {
        super::load::send_all(&mut clients, &round.bodies, &shared)?;
    }
    stage.drain()?;
    Ok(clients
        .into_iter()
        .flat_map(|client: Client| client.promises)
        .collect())
}

/// What all cuts are compared with.
struct Run {
    stage: Stage,
    /// The folder that was recorded.
    folder: PathBuf,
    promises: Vec<Promise>,
    /// What arrived while it was recorded.
    before: Vec<Observed>,
    failed: Vec<String>,
    /// Promised deliveries that were looked for.
    checked: usize,
}

impl Run {
    /// Goes through the recording once, and stops at each moment that is to be cut.
    fn cut_all(&mut self, records: &[Record<'_>], seed: u64, cuts: usize) -> Result<()> {
        let mut moments = BTreeMap::<usize, Vec<u64>>::new();
        for cut in 0..cuts as u64 {
            let seed = seed.wrapping_mul(1_000_000).wrapping_add(cut);
            moments.entry(moment(records, seed)).or_default().push(seed);
        }
        let home = self.folder.to_str().context("the folder's name")?.to_owned();
        let (mut disk, mut accepted) = (Disk::new(&home), HashSet::new());
        for (at, record) in records.iter().enumerate() {
            disk.take(record)?;
            if let Record::Accepted { body } = record {
                accepted.insert(*body);
            }
            for seed in moments.remove(&at).unwrap_or_default() {
                let mut random = Random::new(seed);
                let found = disk.cut(&mut random);
                let name = format!("cut {seed}, after record {at}");
                if let Err(error) = self.check(&found, &accepted) {
                    println!("{name}: {error:#}");
                    self.failed.push(format!("{name}: {error:#}"));
                    ensure!(self.failed.len() < FAILED_MAX, "{}", self.failed.join("\n"));
                }
            }
        }
        Ok(())
    }

    /// Starts the service on what was found, and looks for everything that had been promised.
    fn check(&mut self, found: &BTreeMap<String, Found>, accepted: &HashSet<usize>) -> Result<()> {
        let home = self.stage.folder().join("cut");
        let _ = std::fs::remove_dir_all(&home);
        let recorded = self.folder.to_string_lossy();
        for (path, what) in found {
            let place = home.join(path.trim_start_matches(&*recorded).trim_start_matches('/'));
            match what {
                Found::Folder => std::fs::create_dir(&place)?,
                Found::File(bytes) => std::fs::write(&place, bytes)?,
            }
        }
        self.stage.data_dir = home.join("serve");
        self.stage.reset_aws()?;
        self.stage.start_service(&[])?;
        let looked = self.look(accepted);
        self.stage.kill_service();
        looked
    }

    fn look(&mut self, accepted: &HashSet<usize>) -> Result<()> {
        let promised: Vec<&Promise> = self
            .promises
            .iter()
            .filter(|one| accepted.contains(&one.body))
            .collect();
        // Accounts and connections may not have been made before.
        if promised.is_empty() {
            return Ok(());
        }
        let opened = self.stage.drain();
        opened.with_context(|| format!("{} events had been accepted", promised.len()))?;
        let after = self.stage.observe()?;
        let mut lost = vec![];
        for (number, (before, after)) in self.before.iter().zip(&after).enumerate() {
            let delivered = self.stage.delivered(number)?;
            let arrived: HashSet<&String> = before.arrived.iter().chain(&after.arrived).collect();
            for promise in promised.iter().filter(|promise| after.receives(promise)) {
                self.checked += 1;
                if !delivered.contains(&promise.id) {
                    lost.push(format!("{} for {} is not known", promise.id, after.name));
                } else if !arrived.contains(&promise.id) {
                    lost.push(format!("{} for {} did not arrive", promise.id, after.name));
                }
            }
        }
        ensure!(lost.is_empty(), "{} lost, such as {}", lost.len(), lost[0]);
        Ok(())
    }
}

/// The record after which the power is lost: any, or just after an answer.
fn moment(records: &[Record<'_>], seed: u64) -> usize {
    let mut random = Random::new(!seed);
    let any = usize::try_from(random.below(records.len() as u64)).unwrap_or_default();
    if random.below(2) == 0 {
        return any;
    }
    let is_answer = |record: &Record<'_>| matches!(record, Record::Accepted { .. });
    let next = records.iter().skip(any).position(is_answer);
    next.map_or(any, |next| any + next)
}
