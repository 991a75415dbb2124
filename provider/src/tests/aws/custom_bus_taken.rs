//! `scalr_eventbridge_custom_bus` whose name a bus has already.

use serde_json::json;

use super::custom_bus::config;
use super::fake::{ACCOUNT, Trouble};
use super::{names, stage};
use crate::tests::snapshot::scenarios;

scenarios![
    an_existing_bus_is_refused_with_its_import_block,
    a_bus_of_the_name_that_is_being_deleted_is_waited_for,
];

const NAME: &str = "scalr_eventbridge_custom_bus";
const BUS: &str = "scalr";

#[tokio::test(start_paused = true)]
async fn an_existing_bus_is_refused_with_its_import_block() {
    let (fake, harness) = stage().await;
    let arn = fake.state().custom.hold(ACCOUNT, BUS);
    let resource = harness.resource(NAME);
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    names(&planned.warnings, &["already", &arn]);
    let made = resource.apply(planned).await;
    assert!(made.state.is_none());
    names(
        &made.diags,
        &["exists already", &format!("id = \"{arn}\""), "`moved`"],
    );
    // Without the permission to list them its name is there to import it by.
    fake.state()
        .trouble("v2:ListEventBuses", Trouble::Says("AccessDeniedException", "No."));
    let planned = resource.plan(None, config(json!({}))).await.unwrap();
    assert!(planned.warnings.is_empty());
    fake.state()
        .trouble("v2:ListEventBuses", Trouble::Says("AccessDeniedException", "No."));
    let made = resource.apply(planned).await;
    names(&made.diags, &["id = \"scalr@us-east-1\""]);
}

/// Its name is free in a moment.
#[tokio::test(start_paused = true)]
async fn a_bus_of_the_name_that_is_being_deleted_is_waited_for() {
    let going = async || {
        let (fake, harness) = stage().await;
        let arn = fake.state().custom.hold(ACCOUNT, BUS);
        fake.state().custom.buses.get_mut(&arn).unwrap()["State"] = json!("DELETING");
        (fake, harness, arn)
    };
    // The plan has looked once.
    for (goes_after, calls) in [("v2:CreateEventBus", 1), ("v2:ListEventBuses", 3)] {
        let (fake, harness, arn) = going().await;
        let resource = harness.resource(NAME);
        let planned = resource.plan(None, config(json!({}))).await.unwrap();
        assert!(planned.warnings.is_empty(), "{}", planned.warnings);
        let gone = async {
            fake.until(goes_after, calls).await;
            fake.state().custom.buses.remove(&arn);
        };
        let (made, ()) = tokio::join!(resource.apply(planned), gone);
        assert!(made.diags.is_empty(), "{}", made.diags);
        assert_eq!(made.state.unwrap().json()["state"], "ACTIVE");
    }
    // One that stays for longer than the timeout.
    let (_fake, harness, _) = going().await;
    let config = config(json!({ "timeouts": { "create": "9s" } }));
    let refused = harness.resource(NAME).create(config).await.unwrap_err();
    names(&refused, &["Too late", "is DELETING"]);
}
