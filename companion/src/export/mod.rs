//! What an account streams to AWS, as HCL: for `export`, and for what the console shows of each screen.
//!
//! # Floors
//! Ground first: a module uses lines above its own, or beside it; `cargo xtask tidy` checks that.
//! ```text
//! account hcl names       what was found; HCL text; names of blocks
//! aws                     reading from AWS
//! custom                  the same of custom event buses
//! blocks custom_blocks    blocks of what was found
//! ```

mod account;
mod aws;
mod blocks;
mod custom;
mod custom_blocks;
mod hcl;
mod names;

pub(crate) use account::{Account, AuditLogSetting, Bus, Connection, LogGroup, Rule, Target};
pub(crate) use aws::{Aws, Owner, custom_bus_name, found, log_group_name};
pub(crate) use custom::CustomBuses;

/// The block that makes the file whole.
const TERRAFORM: &str = concat!(
    "terraform {
  required_providers {
    scalr = {
      source  = \"scalr-eventbridge/scalr\"
      version = \"~> ",
    env!("CARGO_PKG_VERSION_MAJOR"),
    ".",
    env!("CARGO_PKG_VERSION_MINOR"),
    "\"
    }
  }
}
"
);

/// A whole file, or one for a folder whose configuration has the `terraform` block.
pub(crate) fn text(account: &Account, with_terraform: bool) -> String {
    let mut parts: Vec<String> = with_terraform.then(|| TERRAFORM.to_owned()).into_iter().collect();
    parts.extend(blocks::blocks(account).iter().map(hcl::Block::text));
    let left_out: String = account
        .left_out
        .iter()
        .map(|line| hcl::comment(&format!("Left out: {line}")))
        .collect();
    parts.extend((!left_out.is_empty()).then_some(left_out));
    parts.join("\n")
}

/// The resources of these types alone: of what is not there yet, and so cannot be imported.
pub(crate) fn resources(account: &Account, is_wanted: impl Fn(&str) -> bool) -> String {
    let blocks = blocks::blocks(account);
    let resources = blocks
        .iter()
        .filter(|block| block.resource_type().is_some_and(&is_wanted));
    resources.map(hcl::Block::text).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    pub(crate) fn connection(id: &str, name: &str) -> Connection {
        Connection {
            id: id.to_owned(),
            name: name.to_owned(),
            aws_account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            enabled: true,
            settled: true,
            source: Some(format!("aws.partner/scalr.com/acme/{name}")),
        }
    }

    #[test]
    fn a_file_is_whole_by_itself() {
        let bus = Bus {
            name: "aws.partner/scalr.com/acme/prod".to_owned(),
            aws_account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            description: Some("The \"${main}\"\nbus".to_owned()),
            dead_letter_arn: Some("arn:aws:sqs:us-east-1:123456789012:lost".to_owned()),
            log: Some(("INFO".to_owned(), "NONE".to_owned())),
            tags: BTreeMap::from([("team a".to_owned(), "x".to_owned())]),
            rules: vec![Rule {
                name: "runs".to_owned(),
                event_pattern: r#"{"detail-type":["RunExecuted"]}"#.to_owned(),
                enabled: false,
                targets: vec![
                    Target {
                        id: "scalr-4251eb2d10fa5da7bb156632537dfd30".to_owned(),
                        arn: "arn:aws:logs:us-east-1:123456789012:log-group:/scalr/runs".to_owned(),
                        log_group: Some(LogGroup {
                            name: "/scalr/runs".to_owned(),
                            create: true,
                            retention_in_days: Some(30),
                            kms_key_id: Some("arn:aws:kms:us-east-1:123456789012:key/1234abcd".to_owned()),
                        }),
                        transformer: Some((
                            BTreeMap::from([("id".to_owned(), "$.id".to_owned())]),
                            "{\"timestamp\": 1, \"message\": \"<id> %{x}\"}\n".to_owned(),
                        )),
                        ..Target::default()
                    },
                    Target {
                        id: "Id5f8b1e6c-7f0a-4d6e-9d5c-0f2f6d1c2b3a".to_owned(),
                        arn: "arn:aws:events:us-east-1:123456789012:api-destination/tickets/11111111-2222-3333-4444-555555555555"
                            .to_owned(),
                        role_arn: Some("arn:aws:iam::123456789012:role/calls".to_owned()),
                        ..Target::default()
                    },
                    Target {
                        id: "queue".to_owned(),
                        arn: "arn:aws:sqs:us-east-1:123456789012:runs".to_owned(),
                        event_age_seconds: Some(60),
                        ..Target::default()
                    },
                ],
                ..Rule::default()
            }],
            ..Bus::default()
        };
        let paused = Connection {
            enabled: false,
            ..connection("in-2", "1st \"x\"\n")
        };
        let pending = Connection {
            settled: false,
            // The same source in another account has no bus here.
            aws_account_id: "999999999999".to_owned(),
            ..connection("in-3", "prod")
        };
        let account = Account {
            connections: vec![connection("in-1", "prod"), paused, pending],
            audit_logs: vec![AuditLogSetting {
                account_id: "acc-1".to_owned(),
                connection_id: "in-1".to_owned(),
            }],
            buses: vec![bus],
            left_out: vec!["one\nresource".to_owned()],
            ..Account::default()
        };
        let want = include_str!("../../tests/snapshots/export.tf");
        let have = text(&account, true);
        assert_eq!(have, want, "{have}");
        assert!(!text(&account, false).contains("required_providers"));
    }

    #[test]
    fn what_is_not_there_yet_has_no_import() {
        let account = Account {
            connections: vec![connection("in-1", "prod")],
            ..Account::default()
        };
        let all = resources(&account, |kind| kind == "scalr_eventbridge_connection");
        assert!(
            all.starts_with("resource \"scalr_eventbridge_connection\"") && !all.contains("import {"),
            "{all}"
        );
        assert_eq!(resources(&account, |kind| kind == "scalr_eventbridge_rule"), "");
    }
}
