//! A connection as commands name and show it.

use scalr_api::{Connection, Object, Status};
use serde::Serialize;

use super::super::remote::Remote;
use super::super::show::{self, Cell, Form, Look};

#[derive(clap::Args)]
pub(in crate::cli) struct One {
    /// The connection, by name or id.
    #[arg(value_name = "CONNECTION")]
    pub(in crate::cli) connection: String,
    #[command(flatten)]
    pub(in crate::cli) form: Form,
    #[command(flatten)]
    pub(in crate::cli) remote: Remote,
}

/// A connection as it is shown.
#[derive(Serialize)]
pub(in crate::cli) struct Shown {
    pub(in crate::cli) id: String,
    pub(in crate::cli) name: String,
    aws_account_id: String,
    region: String,
    status: String,
    error_message: Option<String>,
    event_source_name: Option<String>,
    event_source_arn: Option<String>,
    account_id: Option<String>,
}

impl From<&Object<Connection>> for Shown {
    fn from(object: &Object<Connection>) -> Self {
        let wire = object.attributes.clone();
        Self {
            id: object.id.to_string(),
            name: wire.name,
            aws_account_id: wire.aws_account_id,
            region: wire.region,
            status: wire.status.to_string(),
            error_message: wire.err_message,
            event_source_name: wire.event_source,
            event_source_arn: wire.event_source_arn,
            account_id: object.relationships.account.id().map(ToString::to_string),
        }
    }
}

/// How a status looks.
pub(in crate::cli) fn look(status: &Status) -> Look {
    match status {
        Status::Active => Look::Good,
        Status::Pending | Status::Disabled => Look::Doubtful,
        Status::Failed => Look::Bad,
        Status::Other(_) => Look::Plain,
    }
}

pub(in crate::cli) fn rows(object: &Object<Connection>) -> Vec<(&'static str, Cell)> {
    let wire = &object.attributes;
    let mut rows: Vec<(&str, Cell)> = vec![
        ("id", object.id.as_str().into()),
        ("name", wire.name.as_str().into()),
        ("status", Cell::new(look(&wire.status), wire.status.in_words())),
        ("AWS account", wire.aws_account_id.as_str().into()),
        ("region", wire.region.as_str().into()),
    ];
    let source = wire.event_source.as_deref();
    rows.push((
        "event source",
        source.map_or_else(|| Cell::new(Look::Dim, "not made yet"), Cell::from),
    ));
    rows.extend(
        wire.err_message
            .as_deref()
            .map(|why| ("error", Cell::new(Look::Bad, why))),
    );
    rows
}

pub(in crate::cli) fn print(form: &Form, object: &Object<Connection>) -> anyhow::Result<()> {
    form.print(&Shown::from(object), || show::fields(&rows(object)))
}
