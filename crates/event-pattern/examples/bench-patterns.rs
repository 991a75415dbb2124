//! `bench-patterns [RULES…]`: this crate and AWS's engine on the same rules and events, one thread each, in one run.
//!
//! 2,000 events of 800 to 1,100 bytes; 1, 10, 100, 1,000 and 10,000 rules of three mixes. Build with `--release`.

mod oracle;
mod workload;

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use event_pattern::{Matcher, Pattern};
use peak_alloc::PeakAlloc;
use workload::Mix;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Counts bytes, for the columns on memory.
#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

const WARM_MS: u64 = 1_500;
const RUN_MS: u64 = 1_000;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut sizes: Vec<usize> = args
        .iter()
        .map(|arg| arg.parse())
        .collect::<std::result::Result<_, _>>()?;
    if sizes.is_empty() {
        sizes = vec![1, 10, 100, 1_000, 10_000];
    }
    let events = workload::events(2_000);
    let folder = std::env::temp_dir().join(format!("bench-patterns-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("events"), events.join("\n"))?;
    say(
        "mix           rules    events/s   event-ruler   ratio   added ms  (ruler)  bytes/rule  (ruler)  left over",
    )?;
    for mix in Mix::ALL {
        for size in &sizes {
            let rules = workload::rules(mix, *size);
            std::fs::write(folder.join("rules"), rules.join("\n"))?;
            let ours = ours(&rules, &events)?;
            let theirs = theirs(&folder)?;
            let (held, left) = memory(&rules)?;
            if ours.matches != theirs.matches {
                return Err(format!("{} matches, the engine has {}", ours.matches, theirs.matches).into());
            }
            say(&format!(
                "{:12} {size:>6} {:>11.0} {:>13.0} {:>6.1}x {:>10.1} {:>8.0} {:>11.0} {:>8.0} {:>9.1}%",
                mix.name(),
                ours.rate,
                theirs.rate,
                ours.rate / theirs.rate,
                ours.added_ms,
                theirs.added_ms,
                held,
                theirs.bytes,
                left,
            ))?;
        }
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

fn say(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

/// What one engine made of one cell.
struct Cell {
    rate: f64,
    matches: usize,
    added_ms: f64,
    bytes: f64,
}

fn ours(rules: &[String], events: &[String]) -> Result<Cell> {
    let start = Instant::now();
    let machine = machine(rules)?;
    let added_ms = start.elapsed().as_secs_f64() * 1e3;
    run(&machine, events, Duration::from_millis(WARM_MS / 5))?;
    let rate = run(&machine, events, Duration::from_millis(RUN_MS))?;
    let mut matches = 0;
    for event in events {
        matches += machine.matches(event)?.len();
    }
    Ok(Cell {
        rate,
        matches,
        added_ms,
        bytes: 0.0,
    })
}

fn machine(rules: &[String]) -> Result<Matcher<usize>> {
    let mut matcher = Matcher::new();
    for (id, rule) in rules.iter().enumerate() {
        matcher.add(id, &Pattern::compile(rule)?);
    }
    Ok(matcher)
}

fn run(matcher: &Matcher<usize>, events: &[String], time: Duration) -> Result<f64> {
    let start = Instant::now();
    let mut count = 0_u32;
    for event in events.iter().cycle() {
        std::hint::black_box(matcher.matches(event)?);
        count += 1;
        if count.is_multiple_of(64) && start.elapsed() > time {
            break;
        }
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

fn theirs(folder: &std::path::Path) -> Result<Cell> {
    let times = [WARM_MS.to_string(), RUN_MS.to_string()];
    let out = oracle::java("oracle.Bench")?
        .arg(folder.join("rules"))
        .arg(folder.join("events"))
        .args(times)
        .output()?;
    let text = String::from_utf8(out.stdout)?;
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [rate, matches, added_ms, bytes] = fields[..] else {
        return Err(String::from_utf8_lossy(&out.stderr).into());
    };
    Ok(Cell {
        rate: rate.parse()?,
        matches: matches.parse()?,
        added_ms: added_ms.parse()?,
        bytes: bytes.parse()?,
    })
}

/// Bytes a rule, and what is left of an empty matcher's memory beyond it when all rules are removed, in per cent.
fn memory(rules: &[String]) -> Result<(f64, f64)> {
    let before = in_use()?;
    let mut matcher: Matcher<usize> = Matcher::new();
    matcher.matches("{}")?;
    let empty = in_use()? - before + f64::from(u32::try_from(size_of_val(&matcher))?);
    for (id, rule) in rules.iter().enumerate() {
        matcher.add(id, &Pattern::compile(rule)?);
    }
    let full = in_use()?;
    for id in 0..rules.len() {
        matcher.remove(&id);
    }
    matcher.matches("{}")?;
    let left = in_use()? - before + f64::from(u32::try_from(size_of_val(&matcher))?);
    let count = f64::from(u32::try_from(rules.len())?);
    Ok(((full - before) / count, (left - empty) / empty * 100.0))
}

/// Bytes that this process has allocated and not freed.
fn in_use() -> Result<f64> {
    Ok(f64::from(u32::try_from(ALLOCATED.current_usage())?))
}
