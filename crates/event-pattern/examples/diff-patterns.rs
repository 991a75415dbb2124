//! `diff-patterns [SEED [COUNT]]`: the same pairs to this crate and, through Maven and Java, to AWS's engine; and how complex
//! each finds the wildcards of other patterns.
//!
//! Exits 1 if any answer differs. With `--write FILE` the engine's answers are kept, compactly, for the tests.

#[path = "../tests/it/answers.rs"]
mod answers;
#[path = "../tests/it/generate/mod.rs"]
mod generate;
mod oracle;

use std::error::Error;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::Stdio;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const SHOWN_MAX: usize = 20;

fn main() -> Result<()> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let file = args.iter().position(|arg| arg == "--write").map(|at| {
        args.remove(at);
        args.remove(at)
    });
    let seed = args.first().map_or(Ok(1), |arg| arg.parse())?;
    let count = args.get(1).map_or(Ok(40_000), |arg| arg.parse())?;
    let pairs: Vec<(String, String)> = generate::pairs(seed).take(count).collect();
    let wildcards: Vec<String> = generate::wildcards(seed).take(count / 20).collect();
    let theirs = engine_answers(&pairs, &wildcards)?;
    if let Some(file) = file {
        std::fs::write(&file, answers::pack(&theirs))?;
    }
    let ours = pairs
        .iter()
        .map(|(pattern, event)| {
            (
                format!("{pattern}\n  event {event}"),
                answers::ours(pattern, event),
            )
        })
        .chain(
            wildcards
                .iter()
                .map(|pattern| (pattern.clone(), answers::complexity(pattern))),
        );
    let mut differ = 0;
    for ((asked, ours), theirs) in ours.zip(&theirs) {
        if ours != *theirs && theirs != answers::UNSTEADY {
            differ += 1;
            if differ <= SHOWN_MAX {
                say(&format!("pattern {asked}\n engine {theirs}\n   ours {ours}\n"))?;
            }
        }
    }
    let matched = theirs.iter().filter(|answer| *answer == "match").count();
    let missed = theirs.iter().filter(|answer| *answer == "no-match").count();
    let refused = count - matched - missed;
    say(&format!(
        "{count} pairs of seed {seed}: {matched} match, {missed} do not, {refused} refused; {} patterns counted; \
         {differ} differ",
        wildcards.len()
    ))?;
    if differ > 0 {
        Err("the engines differ".into())
    } else {
        Ok(())
    }
}

fn say(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}

fn engine_answers(pairs: &[(String, String)], wildcards: &[String]) -> Result<Vec<String>> {
    let mut engine = oracle::java("oracle.Diff")?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdin = engine.stdin.take().ok_or("no stdin")?;
    let stdout = engine.stdout.take().ok_or("no stdout")?;
    let lines: Vec<String> = pairs
        .iter()
        .map(|(pattern, event)| serde_json::json!([pattern, event]).to_string())
        .chain(
            wildcards
                .iter()
                .map(|pattern| serde_json::json!([pattern]).to_string()),
        )
        .collect();
    let count = lines.len();
    let writer = std::thread::spawn(move || -> std::io::Result<()> {
        let mut stdin = BufWriter::new(stdin);
        lines.iter().try_for_each(|line| writeln!(stdin, "{line}"))?;
        stdin.flush()
    });
    let mut answers = Vec::with_capacity(count);
    for line in BufReader::new(stdout).lines() {
        let message: String = serde_json::from_str(&line?)?;
        answers.push(answers::theirs(&message));
    }
    writer.join().map_err(|_| "the writer stopped")??;
    if !engine.wait()?.success() || answers.len() != count {
        return Err("the engine stopped early".into());
    }
    Ok(answers)
}
