//! From the wire to the state of a connection, and back.

use scalr_api::ConnectionAttributes;

use super::*;

fn object(status: Status, source: Option<&str>) -> Object<Wire> {
    Object::new(
        ConnectionId::new("in-1").unwrap(),
        ConnectionAttributes {
            name: "prod".into(),
            aws_account_id: "123456789012".into(),
            region: "us-east-1".into(),
            status,
            err_message: Some(String::new()),
            event_source: source.map(str::to_owned),
            event_source_arn: None,
        },
    )
}

fn planned(enabled: bool) -> Connection {
    Connection {
        name: "prod".into(),
        aws_account_id: "123456789012".into(),
        region: Region::from("us-east-1"),
        enabled,
        id: None,
        event_source_name: None,
        event_source_arn: None,
        account_id: None,
        status: None,
        error_message: None,
    }
}

#[test]
fn the_wire_becomes_state() {
    let state = planned(true).with(&object(Status::Disabled, Some("s")));
    assert_eq!(
        (state.enabled, state.status.as_deref()),
        (false, Some("disabled"))
    );
    assert_eq!(
        (state.id.as_deref(), state.event_source_name.as_deref()),
        (Some("in-1"), Some("s"))
    );
    assert_eq!(state.error_message, None);
    // A name that was known stays, should an answer leave it out.
    let kept = state.with(&object(Status::Pending, None));
    assert_eq!(
        (kept.enabled, kept.event_source_name.as_deref()),
        (true, Some("s"))
    );
}

#[test]
fn an_apply_keeps_enabled_as_planned_and_refuses_the_contrary() {
    assert!(!planned(false).applied(&object(Status::Pending, None)).enabled);
    assert!(
        planned(true)
            .check_enabled(&object(Status::Pending, None))
            .is_ok()
    );
    assert!(
        planned(false)
            .check_enabled(&object(Status::Pending, None))
            .is_err()
    );
}
