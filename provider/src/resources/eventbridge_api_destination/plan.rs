//! What a plan decides of an API destination: what is repaired, and whether the secret that it takes is there.

use tfplugin::{Plan, Value};

use super::{ApiDestination, CONNECTION_MISSING, DESTINATION_MISSING, READY, messages};

/// Plans to make ready what is not. What is made again has another ARN.
pub(super) fn repair(plan: &mut Plan<'_, ApiDestination>) {
    let status = plan.prior().and_then(|prior| prior.status.clone());
    match status.as_deref() {
        Some(CONNECTION_MISSING) => plan.set_unknown(ApiDestination::connection_arn()),
        Some(DESTINATION_MISSING) => plan.set_unknown(ApiDestination::arn()),
        _ => {}
    }
    plan.set(ApiDestination::status(), READY);
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
        Some(prior) if is_another(plan, prior) => messages::Needs::Change,
        Some(_) => return,
    };
    plan.error(messages::needs_secret(why));
}

/// Whether a repair has to send the secret again.
fn is_lost(prior: &ApiDestination) -> bool {
    !matches!(prior.status.as_deref(), Some(READY | DESTINATION_MISSING))
}

/// Whether the plan has credentials of another kind, or another version of the secret.
fn is_another(plan: &Plan<'_, ApiDestination>, prior: &ApiDestination) -> bool {
    let version = plan.config(ApiDestination::secret_wo_version());
    let is_new = matches!(version, Value::Known(version) if Some(version) != prior.secret_wo_version);
    is_new
        || plan.config(ApiDestination::api_key()).is_known() != prior.api_key.is_some()
        || plan.config(ApiDestination::basic()).is_known() != prior.basic.is_some()
        || plan.config(ApiDestination::oauth()).is_known() != prior.oauth.is_some()
}
