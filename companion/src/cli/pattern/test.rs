//! `pattern test`: whether an event matches.

use std::io;
use std::process::ExitCode;

use super::{EXIT_CODES, EventArgs, Failure, compiled, invalid, lines, out, read, verdict};

const EXAMPLES: &str = "Examples:
  scalr-eventbridge pattern test --pattern pattern.json --sample run-executed --set result=errored
  scalr-eventbridge emit run-executed --print | scalr-eventbridge pattern test --pattern pattern.json --event -
";

#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n{EXIT_CODES}"))]
pub(in crate::cli) struct Args {
    /// Read `{"pattern": …, "event": …}` lines, each value JSON or a string that holds JSON; print a verdict a line.
    ///
    /// The verdict is that of AWS's engine; EventBridge's limits on length and wildcards are left out.
    #[arg(long, conflicts_with_all = ["pattern", "event", "sample"])]
    ndjson: bool,
    /// The pattern's file; `-` is stdin.
    #[arg(long, value_name = "FILE", required_unless_present = "ndjson")]
    pattern: Option<String>,
    #[command(flatten)]
    event: EventArgs,
}

pub(super) fn main(args: &Args) -> Result<ExitCode, Failure> {
    let Some(pattern) = &args.pattern else {
        lines::answer(io::BufReader::new(io::stdin().lock()), io::stdout().lock())?;
        return Ok(ExitCode::SUCCESS);
    };
    let Some(event) = args.event.text(pattern)? else {
        return Err(Failure::Invalid(
            "no event to test with: name a file with `--event FILE`, or take the sample with `--sample run-executed`"
                .to_owned(),
        ));
    };
    let pattern = match compiled(&read(pattern)?) {
        Ok((pattern, _)) => pattern,
        Err(line) => return invalid(&line),
    };
    let explained = match scalr_events::explain(&pattern, &event) {
        Ok(explained) => explained,
        Err(error) => return invalid(&format!("invalid-event: {error}")),
    };
    let (word, code) = verdict(explained.engine.matched);
    out::line(word)?;
    if !explained.engine.matched {
        // The first line of the message is the verdict.
        for line in explained.message().lines().skip(1) {
            out::line(line)?;
        }
    }
    Ok(code)
}
