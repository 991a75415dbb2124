//! What users read of the data sources.

use scalr_api::{Connection as Wire, ConnectionId, Host, Object};
use tfplugin::rules::Broken;
use tfplugin::{Diagnostic, Path};

pub(super) const LIST_CONNECTIONS: &str = "list the connections";
pub(super) const LIST_SOURCES: &str = "list the event sources";

/// Not looked up in exactly one way, or in half a way.
pub(super) fn one_way(broken: &Broken) -> Diagnostic {
    let error = Diagnostic::error("Say which connection in one way").detail(
        "A connection is looked up by `id`, or by `name`, or by `aws_account_id` together with `region`; by exactly one of \
         the three.",
    );
    match (broken.set(), broken.missing()) {
        ([half], [_]) => error.at(half),
        _ => error,
    }
}

/// `wanted`: what it was looked up by, as in "named `prod`".
pub(super) fn no_connection(wanted: &str, attribute: impl Into<Path>) -> Diagnostic {
    Diagnostic::error(format!("There is no connection {wanted}"))
        .detail("Scalr has no such EventBridge connection, or the token may not see it.")
        .at(attribute)
}

/// `near`: the name of a connection that is spelt nearly so.
pub(super) fn no_connection_named(name: &str, near: Option<&str>, attribute: impl Into<Path>) -> Diagnostic {
    match near {
        None => no_connection(&format!("named `{name}`"), attribute),
        Some(near) => Diagnostic::error(format!("There is no connection named `{name}`"))
            .detail(format!(
                "Scalr has a connection named `{near}`: is that the one? Names are compared letter by letter, also by case."
            ))
            .at(attribute),
    }
}

/// Two of those that were found.
pub(super) fn ambiguous(
    wanted: &str,
    (first, second): (&Object<Wire>, &Object<Wire>),
    attribute: impl Into<Path>,
) -> Diagnostic {
    Diagnostic::error(format!("There is more than one connection {wanted}"))
        .detail(format!(
            "`{}` and `{}` are two of them. Look it up by `id`.",
            first.id, second.id
        ))
        .at(attribute)
}

pub(super) fn doing_read_delivery(id: &ConnectionId) -> String {
    format!("read the delivery of the connection `{id}`")
}

/// The server has the connection and no figures of it.
pub(super) fn gives_no_figures(
    connection: &Object<Wire>,
    host: &Host,
    attribute: impl Into<Path>,
) -> Diagnostic {
    Diagnostic::error("This server does not tell what a connection holds")
        .detail(format!(
            "`{host}` has the connection `{}` (`{}`), and no figures of its delivery: `scalr-eventbridge` gives them, and \
             Scalr's own API has no such call. Nothing was changed.\n\nWhat works there: `status` and `error_message` of the \
             data source `scalr_eventbridge_connection`, and a `scalr_eventbridge_delivery_check`, which shows whether an \
             event arrives.",
            connection.attributes.name, connection.id
        ))
        .at(attribute)
}

pub(super) fn doing_list_deliveries(id: &ConnectionId) -> String {
    format!("list the deliveries of the connection `{id}`")
}

/// The server has the connection and no list of its deliveries.
pub(super) fn lists_no_deliveries(
    connection: &Object<Wire>,
    host: &Host,
    attribute: impl Into<Path>,
) -> Diagnostic {
    Diagnostic::error("This server lists no deliveries")
        .detail(format!(
            "`{host}` has the connection `{}` (`{}`), and no list of its deliveries: `scalr-eventbridge` has one, and Scalr's own \
             API documents no such call. Nothing was changed.\n\nWhat works there: a `scalr_eventbridge_delivery_check`, which \
             shows whether an event arrives. Leave this data source out of configurations for that server.",
            connection.attributes.name, connection.id
        ))
        .at(attribute)
}

pub(super) fn doing_read_custom_bus(name: &str) -> String {
    format!("read the custom event bus `{name}`")
}

/// `account`: where it was looked for, in words.
pub(super) fn no_custom_bus(
    name: &str,
    account: &str,
    region: &str,
    attribute: impl Into<Path>,
) -> Diagnostic {
    Diagnostic::error(format!("There is no custom event bus `{name}`"))
        .detail(format!(
            "This looked in {account}, region {region}; one that another account shares is not looked for by its name. A Classic event bus \
             is of another kind. Correct the name or `region`, or make the bus with a `scalr_eventbridge_custom_bus`."
        ))
        .at(attribute)
}

pub(super) fn doing_read_subscriber(name: &str) -> String {
    format!("read the subscriber `{name}`")
}

/// `account`: where it was looked for, in words.
pub(super) fn no_subscriber(
    name: &str,
    account: &str,
    region: &str,
    attribute: impl Into<Path>,
) -> Diagnostic {
    Diagnostic::error(format!("There is no subscriber `{name}`"))
        .detail(format!(
            "This looked in {account}, region {region}. Correct the name, `event_bus_arn` or `region`, or make the subscriber with a \
             `scalr_eventbridge_subscriber`."
        ))
        .at(attribute)
}

/// Several buses have one of the name.
pub(super) fn several_subscribers(name: &str, arns: &[String], attribute: impl Into<Path>) -> Diagnostic {
    Diagnostic::error(format!("There are {} subscribers `{name}`", arns.len()))
        .detail(format!(
            "They are of several buses: `{}`. Set `event_bus_arn` to the bus that is meant.",
            arns.join("`, `")
        ))
        .at(attribute)
}

pub(super) fn doing_read_source(name: &str) -> String {
    format!("read the event source `{name}`")
}

/// `account`: where it was looked for, in words.
pub(super) fn no_source(name: &str, account: &str, region: &str, attribute: impl Into<Path>) -> Diagnostic {
    Diagnostic::error(format!("There is no event source `{name}`"))
        .detail(format!(
            "This looked in {account}, region {region}. AWS shows the source of a connection only in the account and region that the \
             connection names, and removes one that no bus was associated with for two weeks."
        ))
        .at(attribute)
}

/// `account`: where it was looked for, in words.
pub(super) fn no_event_source(
    name: &str,
    account: &str,
    region: &str,
    attribute: impl Into<Path>,
) -> Diagnostic {
    Diagnostic::error(format!("There is no event source `{name}` of a custom event bus"))
        .detail(format!(
            "This looked in {account}, region {region}. The source that Scalr makes for a connection is of another kind: the data source \
             `scalr_eventbridge_source` has it. Correct the name or `region`, or make the event source with a \
             `scalr_eventbridge_event_source`."
        ))
        .at(attribute)
}
