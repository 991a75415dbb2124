//! Applying a plan: create, update, delete.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::ResourceType;
use super::{Service, guard, read, wire};
use crate::cty::{Type, Val};
use crate::diag::{Diagnostics, Result};
use crate::proto::tfplugin6 as pb;
use crate::provider::operation::Notes;
use crate::provider::plan::PlanAction;
use crate::semantics::{contract, draft, ignored, merge, timeouts};

pub(super) async fn apply(
    service: &Service,
    message: pb::apply_resource_change::Request,
) -> pb::apply_resource_change::Response {
    let one = match service.catalog.resource(&message.type_name) {
        Ok(one) => one,
        Err(diags) => return failed(diags, &Type::Dynamic, message),
    };
    service.walk.applies();
    match try_apply(service, one, &message).await {
        Ok(answer) => respond(one, answer),
        Err(diags) => failed(diags, &one.ty, message),
    }
}

/// Nothing was done: the state is what it was.
fn failed(
    diags: Diagnostics,
    ty: &Type,
    message: pb::apply_resource_change::Request,
) -> pb::apply_resource_change::Response {
    pb::apply_resource_change::Response {
        new_state: message.prior_state,
        private: without_note(message.planned_private),
        diagnostics: wire::diagnostics(diags, ty),
        new_identity: message.planned_identity,
        ..Default::default()
    }
}

/// Private state as it is stored: the plan's note goes no further than the apply.
fn without_note(bytes: Vec<u8>) -> Vec<u8> {
    let mut private = wire::private_from_bytes(&bytes);
    if ignored::take(&mut private).is_empty() {
        bytes
    } else {
        wire::private_to_bytes(&private)
    }
}

struct Answer {
    state: Val,
    private: BTreeMap<String, Vec<u8>>,
    diags: Diagnostics,
}

fn respond(one: &ResourceType, answer: Answer) -> pb::apply_resource_change::Response {
    let Answer {
        state,
        private,
        mut diags,
    } = answer;
    let new_identity = read::identity(one, &state, &mut diags);
    let new_state = wire::dynamic(&state, &one.ty, &mut diags);
    let private = if state.is_null() { BTreeMap::new() } else { private };
    pb::apply_resource_change::Response {
        new_state,
        private: wire::private_to_bytes(&private),
        diagnostics: wire::diagnostics(diags, &one.ty),
        new_identity,
        ..Default::default()
    }
}

async fn try_apply(
    service: &Service,
    one: &ResourceType,
    message: &pb::apply_resource_change::Request,
) -> Result<Answer> {
    let prior = wire::value(message.prior_state.as_ref(), &one.ty)?;
    let planned = wire::value(message.planned_state.as_ref(), &one.ty)?;
    let config = wire::value(message.config.as_ref(), &one.ty)?;
    let (action, name, limits) = match (prior.is_null(), planned.is_null()) {
        (_, true) => (PlanAction::Delete, "delete", &prior),
        (true, false) => (PlanAction::Create, "create", &planned),
        (false, false) => (PlanAction::Update, "update", &planned),
    };
    let mut private = wire::private_from_bytes(&message.planned_private);
    let kept = ignored::take(&mut private);
    if action == PlanAction::Update && draft::same(&prior, &planned) {
        // Only the timeouts change, and they are nobody's but ours.
        return Ok(Answer {
            state: planned,
            private,
            diags: Diagnostics::new(),
        });
    }
    let call = service.call(&one.name, timeouts::of(one.timeouts, name, limits), private)?;
    let label = format!("{}/{name}", one.name);
    let done = match action {
        PlanAction::Delete => guard(label, one.any.delete(&prior, &call))
            .await
            .map(|()| Val::Null),
        PlanAction::Create => {
            let plan = merge::with_write_only(&one.object, &config, planned.clone());
            guard(label, one.any.create(&plan, &call)).await
        }
        PlanAction::Update => {
            let plan = merge::with_write_only(&one.object, &config, planned.clone());
            guard(label, one.any.update(&prior, &plan, &call)).await
        }
    };
    let notes = std::mem::take(&mut *call.notes());
    Ok(answer(one, [&prior, &planned], &kept, done, notes))
}

/// What is answered: the state that the operation returned; where it failed, the state that it saved; else the one before.
fn answer(
    one: &ResourceType,
    [prior, planned]: [&Val; 2],
    kept: &BTreeSet<String>,
    done: Result<Val>,
    notes: Notes,
) -> Answer {
    let Notes {
        saved,
        warnings: mut diags,
        private,
        progress: _,
    } = notes;
    let reference = if planned.is_null() { prior } else { planned };
    let for_state = |value: Val| merge::for_state(&one.object, reference, value);
    let state = match done {
        Ok(state) if state.is_null() => state,
        Ok(state) => {
            let state = ignored::keep(&one.object, kept, planned, for_state(state));
            diags.extend(contract::applied(&one.object, planned, &state));
            state
        }
        Err(errors) => {
            diags.extend(errors);
            saved.map_or_else(|| prior.clone(), for_state)
        }
    };
    Answer {
        state: state.unknown_to_null(),
        private,
        diags,
    }
}
