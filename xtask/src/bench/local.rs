//! `cargo xtask bench local`: the local AWS beside moto's server, each alone, under the same load from the same client.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::custom_buses;
use crate::service::server::{Server, start};
use crate::{places, shell};

const MOTO: &str = "moto[server]==5.2.5";
const START_WITHIN: Duration = Duration::from_mins(1);
/// What ours keeps: events a second accepted and delivered, and half of the events in the log group within so long.
const PER_SECOND_MIN: f64 = 2_000.0;
const P50_MS_MAX: f64 = 5.0;
/// What ours keeps under hostile inputs: no other client waits longer.
const OTHERS_MS_MAX: f64 = 100.0;

/// Builds, measures, prints the table. `more` is passed on to the load: how many seconds each measurement lasts.
pub(super) fn run(more: &[String]) -> Result<()> {
    build()?;
    let moto = moto()?;
    let folder = tempfile::tempdir()?;
    let program = places::target().join("release/scalr-eventbridge");
    let servers: [(&str, Start<'_>); 3] = [
        ("scalr-eventbridge aws-local", &|| start(&program, None)),
        ("the same with --data-dir", &|| {
            start(&program, Some(folder.path()))
        }),
        (MOTO, &|| moto_server(&moto)),
    ];
    let mut rows = Vec::new();
    for (name, start) in servers {
        let server = start().with_context(|| format!("{name} does not start"))?;
        let mut load = Command::new(places::target().join("release/examples/load"));
        load.arg(&server.endpoint).args(more);
        println!("$ {}", shell::spell(&load));
        for line in shell::read(load)?.lines() {
            let report: Value = serde_json::from_str(line).context("the report is not JSON")?;
            rows.push((name, report));
        }
    }
    println!("{}", table(&rows));
    println!("{}", hostile(&program)?);
    println!("{}", custom_buses::run(&program, custom_buses::RETAINED)?);
    Ok(())
}

/// Sends our server legal requests that are as costly as they can be; the table of how long others waited meanwhile.
fn hostile(program: &Path) -> Result<String> {
    let server = start(program, None)?;
    let mut load = Command::new(places::target().join("release/examples/load"));
    load.args([&server.endpoint, "hostile"]);
    println!("$ {}", shell::spell(&load));
    let reports: Vec<Value> = shell::read(load)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()
        .context("the report is not JSON")?;
    Ok(waits(&reports))
}

type Start<'a> = &'a dyn Fn() -> Result<Server>;

fn build() -> Result<()> {
    let product = ["-p", "scalr-eventbridge", "--bin", "scalr-eventbridge"];
    let load = ["-p", "aws-local", "--example", "load"];
    let mut command = shell::cargo(&["build", "--release", "--locked"]);
    command.args(product).args(load);
    shell::run(command)
}

/// moto's server, in a folder of its own.
fn moto() -> Result<std::path::PathBuf> {
    let venv = places::tools().join("moto");
    let (program, done) = (venv.join("bin/moto_server"), venv.join("installed"));
    if !done.exists() {
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(&venv);
        shell::run(make).context("Python 3.9 or later with its venv module is needed")?;
        let mut pip = Command::new(venv.join("bin/pip"));
        pip.args(["install", "--quiet", MOTO]);
        shell::run(pip)?;
        std::fs::write(done, "")?;
    }
    Ok(program)
}

fn moto_server(program: &Path) -> Result<Server> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let mut command = Command::new(program);
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    println!("$ {}", shell::spell(&command));
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut server = Server {
        child,
        endpoint: format!("http://127.0.0.1:{port}"),
    };
    let started = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        ensure!(started.elapsed() < START_WITHIN, "no answer on port {port}");
        if let Some(status) = server.child.try_wait()? {
            bail!("it ended with {status}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(server)
}

/// The works one below the other, and under each work the servers.
fn table(rows: &[(&str, Value)]) -> String {
    let mut works: Vec<&str> = Vec::new();
    for work in rows.iter().filter_map(|(_, report)| report["work"].as_str()) {
        if !works.contains(&work) {
            works.push(work);
        }
    }
    let mut lines = vec![
        "\nFour connections, ten events of about 1 kB a put; milliseconds from the start of a put to the event being read \
         from the log group. At the pace 2,000 a second are found there: of events that all rules match 20 are put, one \
         a put."
            .to_owned(),
    ];
    for work in works {
        lines.push(format!("\n{work}"));
        lines.push(format!(
            "  {:<30}{:>11}{:>12}   {:<26}   {}",
            "", "accepted/s", "delivered/s", "at 2,000/s: got, p50, p99", "one by one: p50, p99"
        ));
        lines.push(format!(
            "  {:<30}{PER_SECOND_MIN:>11.0}{PER_SECOND_MIN:>12.0}   {:>8}{P50_MS_MAX:>9.2}{:>9}   {P50_MS_MAX:>8.2}",
            "limits: at least, p50 below", "", ""
        ));
        let of_work = rows.iter().filter(|(_, report)| report["work"] == work);
        lines.extend(of_work.map(|(name, report)| row(name, report)));
    }
    lines.join("\n")
}

/// A line for each hostile input.
fn waits(reports: &[Value]) -> String {
    let mut lines = vec![format!(
        "\nHostile inputs; milliseconds that each takes, and that another client's small request waits at most meanwhile \
         (limit {OTHERS_MS_MAX:.0}):"
    )];
    for report in reports {
        let (took, others) = (&report["ms"], report["others_ms"].as_f64());
        let kept = report["answered"] == true && others.is_some_and(|others| others <= OTHERS_MS_MAX);
        lines.push(format!(
            "  {took:>7}{:>9.1}   {}   {}",
            others.unwrap_or(f64::NAN),
            if kept { "kept" } else { "NOT KEPT" },
            report["input"].as_str().unwrap_or_default()
        ));
    }
    lines.join("\n")
}

fn row(name: &str, report: &Value) -> String {
    let number = |at: &Value| {
        at.as_f64()
            .map_or_else(|| "-".to_owned(), |value| format!("{value:.0}"))
    };
    let millis = |at: &Value| {
        at.as_f64()
            .map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
    };
    let (flood, paced, single) = (&report["flood"], &report["paced"], &report["single"]);
    let missing = |part: &Value| {
        let (accepted, refused) = (part["accepted"].as_u64(), part["refused"].as_u64());
        let lost = accepted
            .zip(part["delivered"].as_u64())
            .is_some_and(|(put, got)| got < put);
        if lost || refused.is_some_and(|refused| refused > 0) {
            " NOT ALL"
        } else {
            ""
        }
    };
    let bus = match report["bus"].as_str() {
        Some("default") => "  (on the default bus: the partner's got nothing)",
        _ => "",
    };
    let verdict = if keeps(report) { "kept" } else { "NOT KEPT" };
    format!(
        "  {name:<30}{:>11}{:>12}   {:>8}{:>9}{:>9}   {:>8}{:>9}   {verdict}{}{bus}",
        number(&flood["accepted_per_second"]),
        number(&flood["delivered_per_second"]),
        number(&paced["delivered_per_second"]),
        millis(&paced["p50_ms"]),
        millis(&paced["p99_ms"]),
        millis(&single["p50_ms"]),
        millis(&single["p99_ms"]),
        missing(flood),
    )
}

/// Whether a report is within the limits; a figure that is missing is not.
fn keeps(report: &Value) -> bool {
    let (flood, p50s) = (&report["flood"], [&report["paced"], &report["single"]]);
    let enough = |rate: &str| flood[rate].as_f64().is_some_and(|rate| rate >= PER_SECOND_MIN);
    let quick = |part: &Value| part["p50_ms"].as_f64().is_some_and(|p50| p50 < P50_MS_MAX);
    enough("accepted_per_second") && enough("delivered_per_second") && p50s.into_iter().all(quick)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{keeps, table, waits};

    #[test]
    fn limits_are_kept_when_each_is() {
        let check = |rates: [u64; 2], p50s: [f64; 2], expected: bool| {
            let report = json!({
                "flood": { "accepted_per_second": rates[0], "delivered_per_second": rates[1] },
                "paced": { "p50_ms": p50s[0] },
                "single": { "p50_ms": p50s[1] },
            });
            assert_eq!(keeps(&report), expected, "{report}");
        };
        check([2_000, 2_000], [4.99, 4.99], true);
        check([1_999, 2_000], [1.0, 1.0], false);
        check([2_000, 1_999], [1.0, 1.0], false);
        check([2_000, 2_000], [5.0, 1.0], false);
        check([2_000, 2_000], [1.0, 5.0], false);
        assert!(!keeps(&json!({})), "no figures");
    }

    #[test]
    fn a_wait_over_the_limit_or_a_wrong_answer_is_not_kept() {
        let check = |others: f64, answered: bool, kept: bool| {
            let report = json!({ "input": "i", "ms": 7, "others_ms": others, "answered": answered });
            let table = waits(&[report]);
            assert_eq!(!table.contains("NOT KEPT"), kept, "{table}");
        };
        check(100.0, true, true);
        check(100.1, true, false);
        check(1.0, false, false);
    }

    #[test]
    fn servers_are_listed_under_their_work() {
        let report = |work: &str, bus: &str, delivered: u64| {
            json!({
                "work": work,
                "bus": bus,
                "flood": { "accepted": 10, "refused": 0, "delivered": delivered, "accepted_per_second": 5_000 },
                "paced": { "p50_ms": 1.5 },
                "single": {},
            })
        };
        let rows = [
            ("a", report("w", "b", 10)),
            ("a", report("x", "b", 10)),
            ("c", report("w", "default", 9)),
        ];
        let table = table(&rows);
        let at = |needle: &str| {
            table
                .find(needle)
                .unwrap_or_else(|| panic!("no {needle} in {table}"))
        };
        assert!(at("\nw\n") < at("  c ") && at("  c ") < at("\nx\n"), "{table}");
        assert_eq!(table.matches("NOT ALL").count(), 1, "{table}");
        assert_eq!(table.matches("default bus").count(), 1, "{table}");
        assert!(
            table.contains("5000") && table.contains("1.50") && table.contains('-'),
            "{table}"
        );
    }
}
