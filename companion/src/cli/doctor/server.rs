//! The checks of a service whose state is in a PostgreSQL database.

use super::check::{Check, Verdict, of_schema};
use crate::store::{self, Server, ServerInspection};

/// All of them, and the connections that there are, each by its region with what it holds.
pub(super) async fn checks(server: &Server) -> (Vec<Check>, Vec<(String, i64)>) {
    match store::inspect_server(server).await {
        Err(error) => {
            let failed = Check::of("database", Err::<(), _>(error.into()), |()| String::new());
            (vec![failed], Vec::new())
        }
        Ok(found) => (of(&found), found.connections),
    }
}

fn of(found: &ServerInspection) -> Vec<Check> {
    let in_use = found
        .holder
        .as_ref()
        .map_or_else(|| "no process has it".to_owned(), |by| format!("{by} has it"));
    vec![
        Check::new(
            "server",
            Verdict::Ok,
            format!(
                "PostgreSQL {}{}",
                found.server_version,
                if found.has_tls {
                    ", over TLS"
                } else {
                    ", without TLS"
                }
            ),
        ),
        of_schema(found.version, found.version_known, &in_use),
        of_durability(found),
    ]
}

/// Whether an answered call survives a loss of power.
fn of_durability(found: &ServerInspection) -> Check {
    const NAME: &str = "durability";
    for (setting, value, lost) in [
        (
            "fsync",
            &found.fsync,
            "what is committed is lost where the server's machine loses power",
        ),
        (
            "full_page_writes",
            &found.full_page_writes,
            "a page that was half written when the server's machine lost power cannot be repaired",
        ),
    ] {
        if value == "off" {
            return Check {
                next: Some(format!(
                    "set it on the server (ALTER SYSTEM SET {setting} = on), and reload its settings"
                )),
                ..Check::new(NAME, Verdict::Failed, format!("`{setting}` is `off`: {lost}"))
            };
        }
    }
    let commit = &found.synchronous_commit;
    let detail = if commit == "off" {
        "`synchronous_commit` is `off` for this role, and `on` in the service's sessions, which set it"
            .to_owned()
    } else {
        format!("`synchronous_commit` is `{commit}`; `fsync` and `full_page_writes` are on")
    };
    Check::new(NAME, Verdict::Ok, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check([fsync, full_page_writes, synchronous_commit]: [&str; 3], result: Verdict, part: &str) {
        let found = of_durability(&ServerInspection {
            version: 1,
            version_known: 1,
            server_version: "15.1".to_owned(),
            has_tls: true,
            fsync: fsync.to_owned(),
            full_page_writes: full_page_writes.to_owned(),
            synchronous_commit: synchronous_commit.to_owned(),
            holder: None,
            connections: vec![],
        });
        assert_eq!(
            (found.result, found.next.is_some()),
            (result, result == Verdict::Failed),
            "{found:?}"
        );
        assert!(found.detail.contains(part), "{found:?}");
    }

    #[test]
    fn a_server_that_loses_what_it_has_committed_fails() {
        check(["on", "on", "on"], Verdict::Ok, "`synchronous_commit` is `on`");
        check(["on", "on", "remote_apply"], Verdict::Ok, "`remote_apply`");
        check(["on", "on", "off"], Verdict::Ok, "`on` in the service's sessions");
        check(["off", "on", "on"], Verdict::Failed, "`fsync` is `off`");
        check(
            ["on", "off", "on"],
            Verdict::Failed,
            "`full_page_writes` is `off`",
        );
    }
}
