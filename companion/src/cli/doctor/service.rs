//! The checks of a service: the partner's credentials and what they permit, AWS's clock, the database, and the disk that it is on.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use clap::{Command, FromArgMatches as _};
use scalr_api::ConnectionId;

use super::super::{aws, serve, settings};
use super::check::{Check, Verdict, of_schema};
use super::clocks::skew;
use super::server;
use crate::aws_error::{AwsError, SourceState};
use crate::error_chain;
use crate::ids;
use crate::partner::Partner;
use crate::readiness::SET_CREDENTIALS;
use crate::store::{self, Entry, Inspection, SourceKey, StoreError};

/// Regions in which permissions are tried.
const REGIONS_MAX: usize = 20;
/// Less room than this is too little for a database at work.
const ROOM_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// An account that no customer has: nothing is made in it.
const NO_ACCOUNT: &str = "000000000000";

/// All checks, those that need nothing first.
pub(super) async fn checks(program: Command, options: &[(&str, OsString)]) -> Vec<Check> {
    let args = match read(program, options) {
        Ok(args) => args,
        Err(error) => return vec![Check::of("settings", Err::<(), _>(error), |()| String::new())],
    };
    let (mut checks, connections) = match of_place(&args).await {
        Ok(found) => found,
        Err(error) => return vec![Check::of("settings", Err::<(), _>(error), |()| String::new())],
    };
    let regions = regions(&connections);
    checks.extend(Box::pin(of_aws(&args, &regions)).await);
    checks
}

fn read(program: Command, options: &[(&str, OsString)]) -> anyhow::Result<serve::Args> {
    let matches = settings::of_service(program, options)?;
    let args = serve::Args::from_arg_matches(&matches)?;
    args.check()?;
    Ok(args)
}

/// The checks of where its state is, and the connections that there are.
async fn of_place(args: &serve::Args) -> anyhow::Result<(Vec<Check>, Vec<(String, i64)>)> {
    let settings = |place: &str| Check::new("settings", Verdict::Ok, format!("state in `{place}`"));
    if let Some(server) = args.server()? {
        let (checks, connections) = server::checks(&server).await;
        let first = settings(&server.to_string());
        return Ok((std::iter::once(first).chain(checks).collect(), connections));
    }
    let dir = args.data_dir()?;
    let (checks, inspection) = of_store(dir, args.held_bytes_max()).await;
    let first = settings(&dir.display().to_string());
    let connections = inspection.map(|found| found.connections).unwrap_or_default();
    Ok((std::iter::once(first).chain(checks).collect(), connections))
}

/// The regions of the connections; one where there is none.
fn regions(connections: &[(String, i64)]) -> BTreeSet<String> {
    let found: BTreeSet<String> = connections.iter().map(|(region, _)| region.clone()).collect();
    if found.is_empty() {
        return BTreeSet::from([serve::REGION.to_owned()]);
    }
    found.into_iter().take(REGIONS_MAX).collect()
}

/// What the data directory and its database are like.
async fn of_store(dir: &Path, held_bytes_max: u64) -> (Vec<Check>, Option<Inspection>) {
    const DATABASE: &str = "database";
    // Held to the end, so that no service begins to write meanwhile.
    let lock = match store::lock_if_there(dir) {
        Ok(None) => {
            let missing = Check {
                next: Some("`serve --data-dir` makes it; is it the directory of the service, and may this user read it?".to_owned()),
                ..Check::new(DATABASE, Verdict::Failed, format!("there is none in `{}`", dir.display()))
            };
            return (vec![missing], None);
        }
        Ok(lock) => lock,
        Err(StoreError::InUse(_)) => None,
        Err(error) => {
            return (
                vec![Check::of(DATABASE, Err::<(), _>(error.into()), |()| {
                    String::new()
                })],
                None,
            );
        }
    };
    let in_use = match lock {
        Some(_) => "no process has it open",
        None => "a service has it open",
    };
    let inspection = match store::inspect(dir, lock.as_ref()).await {
        Ok(inspection) => inspection,
        Err(error) => {
            return (
                vec![Check::of(DATABASE, Err::<(), _>(error.into()), |()| {
                    String::new()
                })],
                None,
            );
        }
    };
    let left: u64 = inspection
        .connections
        .iter()
        .map(|(_, held)| held_bytes_max.saturating_sub(u64::try_from(*held).unwrap_or_default()))
        .fold(0, u64::saturating_add);
    let mut checks = vec![
        of_schema(inspection.version, inspection.version_known, in_use),
        of_durability(&inspection.journal_mode, file_system(dir)),
        of_modes(&modes(dir)),
    ];
    checks.extend(free_bytes(dir).map(|free| of_room(free, left)));
    (checks, Some(inspection))
}

/// Whether an answered call survives a loss of power. What a connection syncs is the service's own setting, and not the file's.
fn of_durability(journal_mode: &str, file_system: Option<&'static str>) -> Check {
    let check = |verdict, detail: String| Check::new("durability", verdict, detail);
    if journal_mode != "wal" {
        return Check {
            next: Some("start the service: it sets the mode".to_owned()),
            ..check(
                Verdict::Failed,
                format!("the journal mode is `{journal_mode}`, not `wal`"),
            )
        };
    }
    match file_system {
        Some(bad) => Check {
            next: Some("move the data directory to a disk of this machine".to_owned()),
            ..check(Verdict::Failed, format!("the data directory is on {bad}"))
        },
        None => check(
            Verdict::Ok,
            "journal mode `wal`; the service commits with `synchronous=FULL`".to_owned(),
        ),
    }
}

/// Files that others than their owner may read or write.
fn of_modes(modes: &[(String, u32)]) -> Check {
    let open: Vec<String> = modes
        .iter()
        .filter(|(_, mode)| mode & 0o077 != 0)
        .map(|(name, mode)| format!("`{name}` ({:o})", mode & 0o777))
        .collect();
    if open.is_empty() {
        return Check::new("file modes", Verdict::Ok, "for their owner alone");
    }
    Check {
        next: Some("take the rights of the group and of others away: chmod go=".to_owned()),
        ..Check::new(
            "file modes",
            Verdict::Warning,
            format!("others than the owner may use {}", open.join(", ")),
        )
    }
}

/// Whether the disk has room for what the connections may still hold.
fn of_room(free: u64, left_to_hold: u64) -> Check {
    let mib = |bytes: u64| format!("{} MiB", bytes / 1024 / 1024);
    let detail = format!(
        "{} free; the connections may hold {} more",
        mib(free),
        mib(left_to_hold)
    );
    let next = "make room, or lower `--hold-bytes-max`: on a full disk nothing is accepted";
    let verdict = match free {
        free if free < ROOM_BYTES_MIN => Verdict::Failed,
        free if free < left_to_hold => Verdict::Warning,
        _ => Verdict::Ok,
    };
    Check {
        next: (verdict != Verdict::Ok).then(|| next.to_owned()),
        ..Check::new("free disk space", verdict, detail)
    }
}

/// What AWS says to the partner.
async fn of_aws(args: &serve::Args, regions: &BTreeSet<String>) -> Vec<Check> {
    const NAMES: [&str; 2] = ["AWS endpoint", "AWS credentials"];
    let endpoint = match aws::not_scalrs(args.aws_endpoint()).await {
        Ok(endpoint) => endpoint,
        Err(error) => return vec![Check::of(NAMES[0], Err::<(), _>(error), |()| String::new())],
    };
    let at = endpoint
        .as_ref()
        .map_or_else(|| "AWS itself".to_owned(), |url| format!("`{url}`"));
    let mut checks = vec![Check::new(NAMES[0], Verdict::Ok, at)];
    let partner = match args.partner(endpoint.as_deref()).await {
        Ok(partner) => partner,
        Err(error) => return vec![Check::of(NAMES[0], Err::<(), _>(error), |()| String::new())],
    };
    let (_, found) = partner.look_for_credentials().await;
    if let Err(error) = found {
        let why = error_chain::with_causes(&error);
        let why = why.lines().next().unwrap_or_default().to_owned();
        checks.push(Check {
            next: Some(SET_CREDENTIALS.to_owned()),
            ..Check::new(NAMES[1], Verdict::Failed, format!("there are none: {why}"))
        });
        return checks;
    }
    let of_bus = partner.buses().iter().next().map(|bus| bus.region.as_str());
    let region = of_bus.or(regions.first().map(String::as_str));
    let region = region.unwrap_or(serve::REGION);
    let account = partner.account(region).await.map_err(anyhow::Error::from);
    checks.push(Check::of(NAMES[1], account, |account| {
        format!("of account {account}")
    }));
    let url = endpoint.unwrap_or_else(|| format!("https://events.{region}.amazonaws.com"));
    checks.push(skew("clock against AWS", &url).await);
    if partner.buses().is_empty() {
        checks.extend(permissions(&partner, regions).await);
    } else {
        checks.extend(event_buses(&partner).await);
    }
    checks
}

/// Whether the event buses that events are put to are there. Whether events can be put is not known without putting one.
async fn event_buses(partner: &Partner) -> Vec<Check> {
    let mut checks = Vec::new();
    for bus in partner.buses().iter() {
        let source = SourceKey {
            name: String::new(),
            region: bus.region.clone(),
            aws_account_id: bus.account.clone(),
        };
        let there = match partner.state(&source).await {
            Ok(SourceState::Active) => Ok(()),
            Ok(_) => Err(anyhow::anyhow!(
                "AWS does not have `{}`: create it, and name it by the ARN that it has then",
                bus.arn
            )),
            Err(error) => {
                Err(anyhow::Error::from(error).context(format!("`{}` cannot be described", bus.arn)))
            }
        };
        checks.push(Check::of("events:DescribeEventBus", there, |()| {
            format!("`{}` is there", bus.arn)
        }));
    }
    checks.push(Check::new(
        "events:PutEvents",
        Verdict::Skipped,
        "cannot be tried without putting an event",
    ));
    checks
}

/// Tries each call of the partner that makes nothing, on an event source that nobody has, in each region.
async fn permissions(partner: &Partner, regions: &BTreeSet<String>) -> Vec<Check> {
    let nothing = format!("aws.partner/scalr.com/doctor-{}/none", ids::request());
    let mut tried = [Ok(()), Ok(()), Ok(())];
    let Ok(nobody) = ConnectionId::new("in-none") else {
        return Vec::new();
    };
    for region in regions {
        let source = SourceKey {
            name: nothing.clone(),
            region: region.clone(),
            aws_account_id: NO_ACCOUNT.to_owned(),
        };
        let answers = [
            partner.state(&source).await.map(drop),
            partner.delete(&source).await,
            partner.put(region, &[event(&source, &nobody)]).await.map(drop),
        ];
        for (tried, answer) in tried.iter_mut().zip(answers) {
            if tried.is_ok() {
                *tried = answer.map_err(|error| (region.clone(), error));
            }
        }
    }
    let all: Vec<&str> = regions.iter().map(String::as_str).collect();
    let names = [
        "events:ListPartnerEventSourceAccounts",
        "events:DeletePartnerEventSource",
        "events:PutPartnerEvents",
    ];
    let mut checks: Vec<Check> = names
        .into_iter()
        .zip(tried)
        .map(|(name, answer)| permission(name, answer, &all))
        .collect();
    checks.push(Check::new(
        "events:CreatePartnerEventSource",
        Verdict::Skipped,
        "cannot be tried without making an event source",
    ));
    checks
}

/// What an answer tells about a permission: whatever AWS says of an event source that nobody has, it lets the caller ask.
fn permission(action: &'static str, answer: Result<(), (String, AwsError)>, regions: &[&str]) -> Check {
    let called = match answer {
        Ok(()) => Ok(()),
        Err((_, error @ AwsError::Refused { .. })) if !error.is_of_the_caller() => {
            tracing::debug!(%error, action, "answered");
            Ok(())
        }
        Err((region, error)) => {
            Err(anyhow::Error::from(error).context(format!("not allowed in {region}, or no answer")))
        }
    };
    Check::of(action, called, |()| format!("allowed in {}", regions.join(", ")))
}

/// An event for nobody.
fn event(source: &SourceKey, nobody: &ConnectionId) -> Entry {
    Entry {
        seq: 0,
        connection_id: nobody.clone(),
        source: source.name.clone(),
        aws_account_id: source.aws_account_id.clone(),
        lane: String::new(),
        event_id: "doctor".to_owned(),
        detail_type: "Doctor".to_owned(),
        detail: "{}".to_owned(),
        time_ms: crate::clock::wall_ms(),
        attempts: 0,
        refused_since_ms: None,
    }
}

/// The modes of the directory and of the files in it.
#[cfg(unix)]
fn modes(dir: &Path) -> Vec<(String, u32)> {
    use std::os::unix::fs::PermissionsExt as _;
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path()).filter(|path| path.is_file());
    let paths = std::iter::once(dir.to_owned()).chain(files);
    paths
        .filter_map(|path| {
            let mode = path.metadata().ok()?.permissions().mode();
            Some((path.file_name()?.to_string_lossy().into_owned(), mode))
        })
        .collect()
}

#[cfg(not(unix))]
fn modes(_: &Path) -> Vec<(String, u32)> {
    Vec::new()
}

/// How many bytes the disk of a directory has free.
#[cfg(unix)]
fn free_bytes(dir: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// The kind of a file system that keeps nothing, or does not keep SQLite's promises.
#[cfg(target_os = "linux")]
fn file_system(dir: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(dir).ok()?.f_type;
    // The magic numbers of statfs(2).
    match u32::try_from(kind & 0xffff_ffff).ok()? {
        0x0102_1994 => Some("tmpfs: it is gone after a restart of the machine"),
        0x0000_6969 => Some("NFS, whose locks and syncs SQLite cannot rely on"),
        0xff53_4d42 | 0xfe53_4d42 => {
            Some("a share of Windows (CIFS), whose locks and syncs SQLite cannot rely on")
        }
        _ => None,
    }
}

#[cfg(not(target_os = "linux"))]
fn file_system(_: &Path) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: &Check, result: Verdict, part: &str) {
        assert_eq!(found.result, result, "{found:?}");
        assert!(found.detail.contains(part), "{found:?}");
        assert_eq!(
            found.next.is_some(),
            result == Verdict::Failed || part.contains("MiB"),
            "{found:?}"
        );
    }

    #[test]
    fn a_database_is_judged_by_its_version_and_its_disk() {
        check(&of_schema(7, 7, "x"), Verdict::Ok, "version 7");
        check(
            &of_schema(6, 7, "x"),
            Verdict::Warning,
            "brings them to version 7",
        );
        check(&of_schema(8, 7, "x"), Verdict::Failed, "this program knows 7");
        check(&of_durability("wal", None), Verdict::Ok, "synchronous=FULL");
        check(&of_durability("delete", None), Verdict::Failed, "not `wal`");
        check(&of_durability("wal", Some("tmpfs")), Verdict::Failed, "on tmpfs");
        let mib = 1024 * 1024;
        assert_eq!(of_room(1000 * mib, 999 * mib).result, Verdict::Ok);
        check(
            &of_room(100 * mib, 101 * mib),
            Verdict::Warning,
            "100 MiB free; the connections may hold 101 MiB more",
        );
        check(&of_room(63 * mib, 0), Verdict::Failed, "63 MiB");
        let modes = |mode| of_modes(&[("companion.sqlite".to_owned(), mode)]);
        assert_eq!(modes(0o100_600).result, Verdict::Ok);
        assert!(modes(0o100_640).detail.contains("`companion.sqlite` (640)"));
    }

    #[test]
    fn a_permission_is_judged_by_who_is_refused() {
        let refused = |code: &str| AwsError::Refused {
            code: code.to_owned(),
            message: "no".to_owned(),
        };
        for (answer, result, part) in [
            (Ok(()), Verdict::Ok, "allowed in a, b"),
            (
                Err(refused("ValidationException")),
                Verdict::Ok,
                "allowed in a, b",
            ),
            (
                Err(refused("AccessDeniedException")),
                Verdict::Failed,
                "not allowed in b",
            ),
            (
                Err(AwsError::Retryable("late".to_owned())),
                Verdict::Failed,
                "late",
            ),
        ] {
            let answer = answer.map_err(|error| ("b".to_owned(), error));
            let found = permission("x", answer, &["a", "b"]);
            assert_eq!(found.result, result, "{found:?}");
            assert!(found.detail.contains(part), "{found:?}");
        }
    }
}
