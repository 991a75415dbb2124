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
    let why = match plan.prior() {
        None => messages::Needs::New,
        Some(_) if plan.replaces() => messages::Needs::New,
        Some(prior)
            if prior.status.as_deref() != Some(READY)
                && prior.status.as_deref() != Some(DESTINATION_MISSING) =>
        {
            messages::Needs::Repair
        }
        Some(prior) if is_another(plan, prior) => messages::Needs::Change,
        Some(_) => return,
    };
    let key = ApiDestination::api_key();
    let basic = ApiDestination::basic();
    let oauth = ApiDestination::oauth();
    let refused = if plan.config(key.clone()).is_known() {
        is_missing(&plan.config(key.value_wo())).then(|| messages::needs_secret(why, key.value_wo()))
    } else if plan.config(basic.clone()).is_known() {
        is_missing(&plan.config(basic.password_wo()))
            .then(|| messages::needs_secret(why, basic.password_wo()))
    } else if plan.config(oauth.clone()).is_known() {
        is_missing(&plan.config(oauth.client_secret_wo()))
            .then(|| messages::needs_secret(why, oauth.client_secret_wo()))
    } else {
        None
    };
    if let Some(refused) = refused {
        plan.error(refused);
    }
}

fn is_missing<T>(secret: &Value<T>) -> bool {
    matches!(secret, Value::Null)
}

/// Whether the plan has credentials of another kind, or another version of the secret.
fn is_another(plan: &Plan<'_, ApiDestination>, prior: &ApiDestination) -> bool {
    let changed =
        |now: Value<i64>, before: Option<i64>| matches!(now, Value::Known(now) if Some(now) != before);
    let key = ApiDestination::api_key();
    let basic = ApiDestination::basic();
    let oauth = ApiDestination::oauth();
    let (old_key, old_basic, old_oauth) = (&prior.api_key, &prior.basic, &prior.oauth);
    if plan.config(key.clone()).is_known() {
        let before = old_key.as_ref().and_then(|old| old.value_wo_version);
        return old_key.is_none() || changed(plan.config(key.value_wo_version()), before);
    }
    if plan.config(basic.clone()).is_known() {
        let before = old_basic.as_ref().and_then(|old| old.password_wo_version);
        return old_basic.is_none() || changed(plan.config(basic.password_wo_version()), before);
    }
    let before = old_oauth.as_ref().and_then(|old| old.client_secret_wo_version);
    plan.config(oauth.clone()).is_known()
        && (old_oauth.is_none() || changed(plan.config(oauth.client_secret_wo_version()), before))
}
