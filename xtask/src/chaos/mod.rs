//! `cargo xtask chaos`: a service and its local AWS are killed at random moments under load, and then nothing may be missing.
//!
//! A load generator sends events for several accounts and notes each 202; both processes are killed with SIGKILL as the seed says, and
//! started again at once; in some rounds calls to the local AWS go wrong too. After the load an observer reads the log groups. Neither reads the database.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! plan verdict   what follows from the seed; what must hold
//! load           clients
//! stage          the processes
//! power_loss/    the disk in place of the processes
//! ```

mod load;
mod plan;
mod power_loss;
mod stage;
mod verdict;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::service::api::Api;
use crate::service::server;
use load::{Client, Shared};
use plan::{Fault, Kill, Plan, Round};
use stage::{Books, Stage};
use verdict::{Observed, Promise, Verdict};

/// Entries of one call, whose answer a fault may cut off.
const ENTRIES_MAX: usize = 20;
/// Lanes of all connections: each has one event in a call at most, so a kill can leave no more of them without a known answer.
const LANES: usize = 27;
/// After so many rounds a kill has met a request.
const UNANSWERED_AFTER: usize = 10;
/// How many findings are printed.
const PRINTED_MAX: usize = 40;

/// Options of `cargo xtask chaos`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What is sent, and when something is killed, follows from it.
    #[arg(long, default_value_t = plan::SEED)]
    seed: u64,
    /// How often something is killed, at least.
    #[arg(long, default_value_t = 200)]
    kills: usize,
    /// Loses power in place of kills, for the files of the service; needs a C compiler.
    #[arg(long, conflicts_with = "kills")]
    power_loss: bool,
    /// How often it does, each time at another moment of one recording.
    #[arg(long, default_value_t = 200, requires = "power_loss")]
    cuts: usize,
    /// The companion; without it, a release build.
    #[arg(long)]
    program: Option<PathBuf>,
}

/// Runs the plan of the seed; fails, and keeps the folder, where something is missing.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = server::companion(options.program.as_deref())?;
    let folder = tempfile::tempdir()?;
    let begun = Instant::now();
    let outcome = if options.power_loss {
        power_loss::run(&program, folder.path(), (options.seed, options.cuts))
    } else {
        chaos(&program, folder.path(), options)
    };
    match outcome {
        Ok(()) => {
            println!("chaos: nothing lost, in {:.0} s", begun.elapsed().as_secs_f64());
            Ok(())
        }
        Err(error) => {
            let kept = folder.keep();
            bail!(
                "{error:#}\nseed {}; the folder is kept: {}",
                options.seed,
                kept.display()
            )
        }
    }
}

fn chaos(program: &Path, folder: &Path, options: &Options) -> Result<()> {
    let plan = Plan::new(options.seed, options.kills);
    let mut stage = Stage::new(program, folder, options.seed)?;
    stage.start_aws()?;
    for after in &plan.starts_us {
        stage.kill_at_start(Duration::from_micros(*after))?;
    }
    let line = stage.start_service(&["--new-operator-token"])?;
    stage.furnish(&stage::operator(&line)?)?;
    let shared = Shared::new();
    let mut clients = stage.clients();
    for (number, round) in plan.rounds.iter().enumerate() {
        run_round(&mut stage, &mut clients, round, &shared)
            .with_context(|| format!("round {number}, {:?}", round.kill))?;
        stage.books()?;
        if number % 20 == 19 {
            println!("{} rounds of {}", number + 1, plan.rounds.len());
        }
    }
    let drain = Instant::now();
    let books = stage.drain()?;
    let drained_in = drain.elapsed();
    let unanswered = clients.iter().map(|client| client.unanswered).sum::<usize>();
    ensure!(
        unanswered > 0 || plan.rounds.len() < UNANSWERED_AFTER,
        "no request was left without an answer in {} rounds: the kills met no load",
        plan.rounds.len()
    );
    let promises: Vec<Promise> = clients.into_iter().flat_map(|client| client.promises).collect();
    let observed = stage.observe()?;
    let verdict = verdict::judge(&promises, &observed);
    println!(
        "\nseed {}\nkills: {} of the service, {} of the local AWS; slowest start {} ms\nevents accepted: {}, after {unanswered} \
         requests without an answer\ndrained in {} ms",
        options.seed,
        stage.kills[0],
        stage.kills[1],
        stage.slowest_start.as_millis(),
        promises.len(),
        drained_in.as_millis(),
    );
    report(&stage, &verdict, &observed, &books)
}

/// Sends the bodies of a round while one thing is killed and started again.
fn run_round(stage: &mut Stage, clients: &mut [Client], round: &Round, shared: &Shared) -> Result<()> {
    let puts = match round.kill {
        Kill::Put { .. } => stage.aws()?.calls("PutPartnerEvents")?,
        _ => 0,
    };
    let sent = shared.sent.load(Ordering::SeqCst);
    if let Some(fault) = round.fault {
        stage.aws()?.add_fault(&as_json(fault))?;
    }
    load::while_sending(clients, &round.bodies, shared, || {
        kill(stage, round.kill, (puts, sent), shared)
    })?;
    let lost = stage.aws()?.end_faults()?;
    // Where the local AWS was killed, the count has ended with it; that kill counts.
    if round.fault == Some(Fault::Lost) {
        stage.unanswered += lost;
    }
    Ok(())
}

/// In the form of the local AWS.
fn as_json(fault: Fault) -> Value {
    let (put, look) = ("events:PutPartnerEvents", "events:ListPartnerEventSourceAccounts");
    match fault {
        Fault::Throttled => {
            json!({ "operation": put, "kind": "error", "status": 400, "code": "ThrottlingException", "share": 0.3 })
        }
        Fault::Lost => json!({ "operation": put, "kind": "cut", "carried_out": true, "share": 0.3 }),
        Fault::Late => json!({ "operation": put, "kind": "slow", "delay_ms": 100 }),
        Fault::Blind => json!({ "operation": look, "kind": "error", "status": 503, "share": 0.5 }),
    }
}

/// Waits for the moment, kills, and starts again. `before` is how many puts and requests there were before the round.
fn kill(stage: &mut Stage, kill: Kill, (puts, sent): (u64, u64), shared: &Shared) -> Result<()> {
    let wait = |us| std::thread::sleep(Duration::from_micros(us));
    match kill {
        Kill::Time { us } => wait(us),
        Kill::Sent { us } => {
            until(|| Ok(shared.sent.load(Ordering::SeqCst) > sent))?;
            wait(us);
        }
        Kill::Put { us } => {
            let mut aws = stage.aws()?;
            until(|| Ok(aws.calls("PutPartnerEvents")? > puts))?;
            wait(us);
        }
        Kill::Start { us } => {
            stage.kill_service();
            stage.kill_at_start(Duration::from_micros(us))?;
        }
        Kill::End { us } => {
            stage.end_service()?;
            wait(us);
        }
        Kill::Aws { us } => {
            wait(us);
            stage.kill_aws();
            return stage.start_aws();
        }
    }
    stage.kill_service();
    stage.start_service(&[]).map(drop)
}

/// Waits a second at most: the load may be over.
fn until(mut reached: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) && !reached()? {
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}

/// Prints what was found; fails where something does not hold.
fn report(stage: &Stage, verdict: &Verdict, observed: &[Observed], books: &[Books]) -> Result<()> {
    let mut findings = verdict
        .lost
        .iter()
        .map(|one| format!("lost: {one}"))
        .collect::<Vec<_>>();
    findings.extend(verdict.disorder.iter().map(|one| format!("order: {one}")));
    findings.extend(verdict.miscounted.iter().map(|one| format!("answer: {one}")));
    let mut scalr = Api::open(&stage.host())?;
    let mut repeats = 0;
    for (number, event, times) in &verdict.repeated {
        repeats += times - 1;
        let attempts = stage.attempts(&mut scalr, *number, event)?;
        if (*times as u64) > attempts {
            let name = &observed[*number].name;
            findings.push(format!(
                "repeated: {event} for {name}: {times} times, sent {attempts} times"
            ));
        }
    }
    let repeats_max = (stage.kills[0] + stage.kills[1]) * LANES + stage.unanswered * ENTRIES_MAX;
    if repeats > repeats_max {
        findings.push(format!(
            "repeated: {repeats} deliveries, where the kills and the lost answers explain {repeats_max}"
        ));
    }
    for (connection, books) in observed.iter().zip(books) {
        let distinct = verdict::distinct(&connection.arrived) as u64;
        if books.delivered != distinct || books.made != distinct {
            findings.push(format!(
                "figures of {}: {books:?}, and {distinct} arrived",
                connection.name
            ));
        }
    }
    findings.extend(stage.panics()?.into_iter().map(|line| format!("panic: {line}")));
    let made: u64 = books.iter().map(|books| books.made).sum();
    println!(
        "deliveries promised: {}, seen: {}, lost: {}; made by the service's figures: {made}\nduplicates: {repeats}, each sent \
         so often by the service's record; kills and lost answers explain {repeats_max} at most\norder violations: {}",
        verdict.promised,
        verdict.seen,
        verdict.lost.len(),
        verdict.disorder.len(),
    );
    for finding in findings.iter().take(PRINTED_MAX) {
        println!("{finding}");
    }
    ensure!(findings.is_empty(), "{} findings", findings.len());
    Ok(())
}
