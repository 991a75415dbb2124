//! What a plan decides of an API destination: what is repaired, and whether the secret that it takes is there.

use aws_sdk_eventbridge::types::ConnectionAuthorizationType;
use tfplugin::{Plan, Value};

use super::{ApiDestination, CONNECTION_MISSING, DESTINATION_MISSING, READY, messages};

/// Plans to make ready what is not. What is made again has another ARN; what comes of credentials that are sent is AWS's to say.
pub(super) fn repair(plan: &mut Plan<'_, ApiDestination>) {
    let Some(prior) = plan.prior().cloned() else {
        return;
    };
    match prior.status.as_deref() {
        Some(CONNECTION_MISSING) => plan.set_unknown(ApiDestination::connection_arn()),
        Some(DESTINATION_MISSING) => plan.set_unknown(ApiDestination::arn()),
        _ => {}
    }
    if prior.status.as_deref() != Some(READY) || changes_credentials(plan, &prior) {
        plan.set_unknown(ApiDestination::status());
    }
}

/// Whether an update may write the connection.
fn changes_credentials(plan: &Plan<'_, ApiDestination>, prior: &ApiDestination) -> bool {
    is_other_secret(plan, prior)
        || !is_as_it_was(plan.planned(ApiDestination::api_key()), prior.api_key.as_ref())
        || !is_as_it_was(plan.planned(ApiDestination::basic()), prior.basic.as_ref())
        || !is_as_it_was(plan.planned(ApiDestination::oauth()), prior.oauth.as_ref())
        || !is_as_it_was(
            plan.planned(ApiDestination::header_parameters()),
            prior.header_parameters.as_ref(),
        )
}

fn is_as_it_was<T: PartialEq>(planned: Value<T>, prior: Option<&T>) -> bool {
    !planned.is_unknown() && planned.known().as_ref() == prior
}

/// A secret is in the configuration alone. Where it has to be sent and is not there, nothing else would say so before AWS.
pub(super) fn refuse_without_secret(plan: &mut Plan<'_, ApiDestination>) {
    if !plan.config(ApiDestination::secret_wo()).is_null() {
        return;
    }
    let why = match plan.prior() {
        None => messages::Needs::New,
        Some(_) if plan.replaces() => messages::Needs::New,
        Some(prior) if is_lost(prior) => messages::Needs::Repair,
        Some(prior) if is_other_secret(plan, prior) => messages::Needs::Change,
        Some(_) => return,
    };
    plan.error(messages::needs_secret(why));
}

/// Whether a repair has to send the secret again.
fn is_lost(prior: &ApiDestination) -> bool {
    !matches!(prior.status.as_deref(), Some(READY | DESTINATION_MISSING))
}

/// Whether the configuration has another secret: of another kind, or another version.
fn is_other_secret(plan: &Plan<'_, ApiDestination>, prior: &ApiDestination) -> bool {
    let version = plan.config(ApiDestination::secret_wo_version()).known();
    prior.is_other_secret(kind(plan).as_ref(), version)
}

/// The kind of the credentials; none where it is not known yet.
fn kind(plan: &Plan<'_, ApiDestination>) -> Option<ConnectionAuthorizationType> {
    let set = [
        (
            plan.config(ApiDestination::api_key()).is_known(),
            ConnectionAuthorizationType::ApiKey,
        ),
        (
            plan.config(ApiDestination::basic()).is_known(),
            ConnectionAuthorizationType::Basic,
        ),
        (
            plan.config(ApiDestination::oauth()).is_known(),
            ConnectionAuthorizationType::OauthClientCredentials,
        ),
    ];
    set.into_iter().find_map(|(is_set, kind)| is_set.then_some(kind))
}
