//! Reading a managed resource back.

use std::collections::BTreeMap;

use super::catalog::ResourceType;
use super::{Service, guard, wire};
use crate::cty::{Type, Val};
use crate::diag::{Diagnostics, Result};
use crate::proto::tfplugin6 as pb;
use crate::semantics::{merge, timeouts};

pub(super) async fn read(
    service: &Service,
    message: pb::read_resource::Request,
) -> pb::read_resource::Response {
    let one = match service.catalog.resource(&message.type_name) {
        Ok(one) => one,
        Err(diags) => return failed(diags, &Type::Dynamic, message),
    };
    service.walk.reads();
    match try_read(service, one, &message).await {
        Ok(answer) => respond(one, answer),
        Err(diags) => failed(diags, &one.ty, message),
    }
}

/// A failed read leaves the state as it is.
fn failed(diags: Diagnostics, ty: &Type, message: pb::read_resource::Request) -> pb::read_resource::Response {
    pb::read_resource::Response {
        new_state: message.current_state,
        diagnostics: wire::diagnostics(diags, ty),
        private: message.private,
        deferred: None,
        new_identity: message.current_identity,
    }
}

struct Answer {
    state: Val,
    private: BTreeMap<String, Vec<u8>>,
    diags: Diagnostics,
}

fn respond(one: &ResourceType, answer: Answer) -> pb::read_resource::Response {
    let Answer {
        state,
        private,
        mut diags,
    } = answer;
    let new_identity = identity(one, &state, &mut diags);
    let new_state = wire::dynamic(&state, &one.ty, &mut diags);
    pb::read_resource::Response {
        new_state,
        diagnostics: wire::diagnostics(diags, &one.ty),
        private: wire::private_to_bytes(&private),
        deferred: None,
        new_identity,
    }
}

/// The identity message of a state.
pub(super) fn identity(
    one: &ResourceType,
    state: &Val,
    diags: &mut Diagnostics,
) -> Option<pb::ResourceIdentityData> {
    let identity = one.identity_of(state)?;
    Some(pb::ResourceIdentityData {
        identity_data: wire::dynamic(&identity, &one.identity_ty, diags),
    })
}

async fn try_read(
    service: &Service,
    one: &ResourceType,
    message: &pb::read_resource::Request,
) -> Result<Answer> {
    let state = wire::value(message.current_state.as_ref(), &one.ty)?;
    if state.is_null() {
        return Ok(Answer {
            state,
            private: BTreeMap::new(),
            diags: Diagnostics::new(),
        });
    }
    let call = service.call(
        &one.name,
        timeouts::of(one.timeouts, "read", &state),
        wire::private_from_bytes(&message.private),
    )?;
    let read = guard(format!("{}/read", one.name), one.any.read(&state, &call)).await;
    let notes = std::mem::take(&mut *call.notes());
    let read = read.map_err(|diags| {
        notes
            .warnings
            .clone()
            .into_iter()
            .chain(diags)
            .collect::<Diagnostics>()
    })?;
    let state = read.map_or(Val::Null, |actual| {
        merge::for_state(&one.object, &state, actual).unknown_to_null()
    });
    Ok(Answer {
        state,
        private: notes.private,
        diags: notes.warnings,
    })
}
