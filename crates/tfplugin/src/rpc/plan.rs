//! Validating and planning a managed resource.

use super::catalog::ResourceType;
use super::validate::{self, Subject};
use super::{Service, guard, read, wire};
use crate::cty::{Type, Val};
use crate::diag::{Diagnostics, Result};
use crate::proto::tfplugin6 as pb;
use crate::provider::plan::{PlanAction, PlanState};
use crate::semantics::{contract, draft, ignored};

pub(super) fn validate(
    service: &Service,
    message: &pb::validate_resource_config::Request,
) -> pb::validate_resource_config::Response {
    let judged = service.catalog.resource(&message.type_name).map(|one| {
        let subject = Subject {
            object: &one.object,
            ty: &one.ty,
            timeouts: one.timeouts,
            write_only_allowed: message
                .client_capabilities
                .as_ref()
                .is_some_and(|can| can.write_only_attributes_allowed),
            mocked: service.may_be_mocked(),
        };
        validate::config(&subject, message.config.as_ref(), |config, certain, diags| {
            one.any.validate(config, certain, diags);
        })
    });
    pb::validate_resource_config::Response {
        diagnostics: judged.unwrap_or_else(|diags| wire::diagnostics(diags, &Type::Dynamic)),
    }
}

pub(super) async fn plan(
    service: &Service,
    message: pb::plan_resource_change::Request,
) -> pb::plan_resource_change::Response {
    let one = match service.catalog.resource(&message.type_name) {
        Ok(one) => one,
        Err(diags) => return failed(diags, &Type::Dynamic, message),
    };
    match try_plan(service, one, &message).await {
        Ok(state) if state.diags.has_errors() => failed(state.diags, &one.ty, message),
        Ok(state) => respond(one, state, message),
        Err(diags) => failed(diags, &one.ty, message),
    }
}

fn failed(
    diags: Diagnostics,
    ty: &Type,
    message: pb::plan_resource_change::Request,
) -> pb::plan_resource_change::Response {
    pb::plan_resource_change::Response {
        planned_state: message.prior_state,
        planned_private: message.prior_private,
        diagnostics: wire::diagnostics(diags, ty),
        planned_identity: message.prior_identity,
        ..Default::default()
    }
}

fn respond(
    one: &ResourceType,
    state: PlanState,
    message: pb::plan_resource_change::Request,
) -> pb::plan_resource_change::Response {
    let PlanState {
        action,
        planned,
        replace,
        ignored: kept,
        mut diags,
        ..
    } = state;
    // The create of a replacement is planned with what the object that goes had: the new one starts with none of it.
    let planned_private = match action {
        PlanAction::Create => Vec::new(),
        PlanAction::Update if !kept.is_empty() => {
            let mut private = wire::private_from_bytes(&message.prior_private);
            ignored::note(&mut private, &kept);
            wire::private_to_bytes(&private)
        }
        PlanAction::Update | PlanAction::Delete => message.prior_private,
    };
    // A client may send a prior state without its identity: then compute it from the plan.
    let planned_identity = if replace.is_empty() && message.prior_identity.is_some() {
        message.prior_identity
    } else {
        read::identity(one, &planned, &mut diags)
    };
    let planned_state = wire::dynamic(&planned, &one.ty, &mut diags);
    pb::plan_resource_change::Response {
        planned_state,
        requires_replace: replace.iter().map(|path| wire::path(path, &one.ty)).collect(),
        planned_private,
        diagnostics: wire::diagnostics(diags, &one.ty),
        planned_identity,
        ..Default::default()
    }
}

async fn try_plan(
    service: &Service,
    one: &ResourceType,
    message: &pb::plan_resource_change::Request,
) -> Result<PlanState> {
    let prior = wire::value(message.prior_state.as_ref(), &one.ty)?;
    let config = wire::value(message.config.as_ref(), &one.ty)?;
    let action = match (
        prior.is_null(),
        wire::is_null(message.proposed_new_state.as_ref()),
    ) {
        (_, true) => PlanAction::Delete,
        (true, false) => PlanAction::Create,
        (false, false) => PlanAction::Update,
    };
    let (planned, replace) = match action {
        PlanAction::Delete => (Val::Null, Vec::new()),
        _ => draft::draft(&one.object, &prior, &config),
    };
    let ignored = match action {
        PlanAction::Update => ignored::paths(&one.object, &config),
        PlanAction::Create | PlanAction::Delete => Vec::new(),
    };
    let capabilities = message.client_capabilities.as_ref();
    let deferral_allowed = capabilities.is_some_and(|can| can.deferral_allowed);
    let mut state = PlanState {
        action,
        prior,
        config,
        planned,
        private: wire::private_from_bytes(&message.prior_private),
        replace,
        ignored,
        is_within_apply: service.walk.is_apply(deferral_allowed),
        diags: Diagnostics::new(),
        client: service.client(),
        cancel: service.cancel(),
    };
    if action == PlanAction::Delete && !one.any.plans_destroy() {
        return Ok(state);
    }
    if let Err(failed) = guard(format!("{}/plan", one.name), one.any.plan(&mut state)).await {
        // What was warned of by then may be why.
        state.diags.extend(failed);
        return Ok(state);
    }
    if action == PlanAction::Delete {
        state.planned = Val::Null;
    } else {
        let broken = contract::plan(&one.object, &state.prior, &state.config, &state.planned);
        state.diags.extend(broken);
    }
    Ok(state)
}
