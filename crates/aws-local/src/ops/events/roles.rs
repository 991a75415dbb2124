//! Which targets need a role, and which take none.
//!
//! The provider warns by a list of its own (`eventbridge_target/warnings.rs`); `tests/data/target_roles.json` holds both to
//! the same answers, and names their sources.

use crate::arn::Arn;
use crate::fault::Fault;
use crate::state::rule::Target;

/// Services that EventBridge reaches with a role only.
const WITH_ROLE: [&str; 10] = [
    "appsync",
    "batch",
    "codebuild",
    "codepipeline",
    "ecs",
    "firehose",
    "kinesis",
    "redshift",
    "sagemaker",
    "states",
];

/// Refuses a target with a role that it does not take, or without one that it needs.
pub(super) fn check_role(target: &Target, account: &str, role_of_rule: bool) -> Result<(), Fault> {
    let to = &target.arn;
    let Some(arn) = Arn::parse(to) else { return Ok(()) };
    if target.role_arn.is_some() {
        if arn.service == "logs" {
            return Err(Fault::validation(format!(
                "RoleArn is not supported for target {to}."
            )));
        }
        return Ok(());
    }
    let is_foreign_bus = arn.event_bus().is_some() && arn.account != account;
    let needs_its_own = arn.service == "events" && arn.resource.starts_with("api-destination/");
    let needs_one = is_foreign_bus || WITH_ROLE.contains(&arn.service);
    if needs_its_own || (needs_one && !role_of_rule) {
        return Err(Fault::validation(format!("RoleArn is required for target {to}.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ACCOUNT: &str = "123456789012";

    fn is_taken(arn: &str, role: bool, role_of_rule: bool) -> bool {
        let role = role.then_some("arn:aws:iam::123456789012:role/r");
        let target = serde_json::from_value(json!({ "Id": "1", "Arn": arn, "RoleArn": role })).unwrap();
        check_role(&target, ACCOUNT, role_of_rule).is_ok()
    }

    #[test]
    fn roles_are_needed_where_the_shared_list_says() {
        let list: Value =
            serde_json::from_str(include_str!("../../../../../tests/data/target_roles.json")).unwrap();
        // Whether it is taken with a role, with one of the rule only, and with none.
        for (kind, expected) in [
            ("needed", [true, true, false]),
            ("needed_on_the_target", [true, false, false]),
            ("needed_elsewhere", [true, true, false]),
            ("optional", [true, true, true]),
            ("refused", [false, true, true]),
        ] {
            for arn in list[kind].as_array().unwrap() {
                let arn = arn.as_str().unwrap().replace("REGION", "us-east-1");
                let arn = arn.replace("ACCOUNT", ACCOUNT).replace("OTHER", "210987654321");
                let found = [(true, false), (false, true), (false, false)];
                let found = found.map(|(role, of_rule)| is_taken(&arn, role, of_rule));
                assert_eq!(found, expected, "{arn}");
            }
        }
    }
}
