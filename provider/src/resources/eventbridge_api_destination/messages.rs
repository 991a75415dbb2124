//! What users read of an API destination.

use aws_sdk_eventbridge::error::BuildError;
use aws_sdk_eventbridge::operation::describe_connection::DescribeConnectionOutput;
use aws_sdk_eventbridge::types::ConnectionState;
use tfplugin::rules::Broken;
use tfplugin::{Diagnostic, Resource as _};

use super::ApiDestination;
use crate::aws::{Error, Regional};
use crate::failure::{Standing, UNCHANGED, import_block};
use crate::resources::messages;

/// What failed is named by what was being done.
pub(super) mod doing {
    pub(in super::super) fn make(name: &str) -> String {
        format!("make the API destination `{name}`")
    }

    pub(in super::super) fn make_connection(name: &str) -> String {
        format!("make the connection of the API destination `{name}`")
    }

    pub(in super::super) fn change(name: &str) -> String {
        format!("change the API destination `{name}`")
    }

    pub(in super::super) fn change_connection(name: &str) -> String {
        format!("change the connection of the API destination `{name}`")
    }

    pub(in super::super) fn authorize(name: &str) -> String {
        format!("see whether the connection of the API destination `{name}` is authorized")
    }

    pub(in super::super) fn read(name: &str) -> String {
        format!("read the API destination `{name}`")
    }

    pub(in super::super) fn delete(name: &str) -> String {
        format!("delete the API destination `{name}` and its connection")
    }
}

/// No kind of credentials is set, or more than one.
pub(super) fn one_kind(broken: &Broken) -> Diagnostic {
    if broken.set().is_empty() {
        return Diagnostic::error("The API destination needs credentials")
            .detail("Set one of `api_key`, `basic` and `oauth`: EventBridge calls no endpoint without.")
            .at(ApiDestination::api_key());
    }
    let second = broken.set().get(1).cloned().unwrap_or_default();
    Diagnostic::error("The API destination has credentials of more than one kind")
        .detail("Set one of `api_key`, `basic` and `oauth`.")
        .at(second)
}

/// Why the secret is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// It is made.
    New,
    /// It is made again, or authorized again.
    Repair,
    /// It is of another kind or version.
    Change,
}

pub(super) fn needs_secret(why: Needs) -> Diagnostic {
    let why = match why {
        Needs::New => "The connection is new, and its secret is in no state",
        Needs::Repair => {
            "The connection is missing or not authorized any more, and its secret, which is in no state, has to be sent again"
        }
        Needs::Change => "The secret is to be another one, of another kind or version",
    };
    Diagnostic::error("`secret_wo` is needed")
        .detail(format!("{why}. Nothing was changed. Set `secret_wo`."))
        .at(ApiDestination::secret_wo())
}

/// The secret turned out to be null when everything was known.
pub(super) fn no_secret(doing: &str) -> Diagnostic {
    Diagnostic::error(format!("Cannot {doing}: there is no secret")).detail(
        "The secret was not known when this was planned, and is null. Nothing was changed by this step. Give it a value, and \
         apply again.",
    )
}

pub(super) fn request_cannot_be_built(doing: &str, error: &BuildError) -> Diagnostic {
    Diagnostic::error(format!("Cannot {doing}: the request cannot be built")).detail(format!(
        "Nothing was changed. This is a bug in the provider: {error}."
    ))
}

/// `what`: which of the two is there.
pub(super) fn exists(what: &str, name: &str, region: &str) -> Diagnostic {
    Diagnostic::error(format!("The {what} `{name}` exists already")).detail(format!(
        "It is in {region}; it was left as it is. It has no tags that would say whose it is, so that it is not adopted. Another \
         resource or another state may have it: then choose another name, or, if this resource is to take that one's place, use a \
         `moved` block, without `create_before_destroy`. If nothing has it, as after an apply that was interrupted, import it: what \
         is missing is made by the next apply.\n\n{}",
        import_block(ApiDestination::NAME, &[name], format_args!("{name}@{region}"))
    ))
}

pub(super) async fn nothing_to_import(name: &str, aws: &Regional) -> Diagnostic {
    let what = format!("API destination `{name}`");
    messages::nothing_to_import(&what, &aws.account_in_words().await, &aws.name)
}

/// The state when CreateConnection failed.
pub(super) fn after_creating_connection(name: &str, region: &str) -> Standing {
    Standing::new(
        UNCHANGED,
        format!(
            "The connection may be there now. The next apply says so, with the block that imports it (id `{name}@{region}`); or delete it: `aws \
             events delete-connection --region {region} --name {name}`."
        ),
    )
}

/// The state when CreateApiDestination failed.
pub(super) fn after_creating(name: &str) -> Standing {
    let kept = format!("The connection `{name}` is there and in the state: the next apply replaces it.");
    Standing::new(
        kept.clone(),
        format!("{kept} The API destination may be there as well; it goes with it."),
    )
}

pub(super) fn after_changing() -> Standing {
    Standing::of::<Error>().and("The connection is as configured.")
}

pub(super) fn after_deleting() -> Standing {
    Standing::same("What is left of the two shows in the next plan.")
}

/// AWS takes its time.
pub(super) fn still_deleting(name: &str) -> String {
    format!("the connection `{name}` is being deleted; until then its name is taken")
}

/// Awaited before the connection can be used.
pub(super) fn authorizing(name: &str) -> String {
    format!("the connection `{name}` is being authorized")
}

pub(super) fn not_authorized_yet(name: &str) -> Diagnostic {
    Diagnostic::warning(format!("The connection `{name}` is not authorized yet")).detail(
        "AWS has not said that it can be used. Until then its events wait for a retry, or go to the dead-letter queue. The next \
         plan shows whether it is authorized; look also at the connection in the EventBridge console.",
    )
}

/// The state when the wait could not ask.
pub(super) fn not_seen() -> Standing {
    Standing::same(
        "The API destination and its connection were written. The next plan shows whether it is authorized.",
    )
}

/// Somebody deleted the connection during the wait.
pub(super) fn gone(name: &str) -> Diagnostic {
    Diagnostic::warning(format!("The connection `{name}` is gone"))
        .detail(
            "It was made or changed by this apply, and AWS does not show it any more. Until it is there, events go to the \
             dead-letter queue, or are dropped. The next apply makes it again.",
        )
        .at(ApiDestination::status())
}

/// AWS says that the connection cannot be used.
pub(super) fn not_authorized(name: &str, held: &DescribeConnectionOutput) -> Diagnostic {
    let state = held.connection_state().map_or("unknown", ConnectionState::as_str);
    let reason = held.state_reason().filter(|reason| !reason.is_empty());
    let reason = reason.map_or_else(String::new, |reason| format!(" AWS says: {reason}."));
    Diagnostic::warning(format!("The connection `{name}` is not authorized"))
        .detail(format!(
            "It is in state `{state}`.{reason} Its events go to the dead-letter queue, or are dropped. The next apply sends the \
             credentials again; correct them first, if they are wrong."
        ))
        .at(ApiDestination::status())
}
