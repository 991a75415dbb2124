//! Bringing stored state to the current schema.

use serde_json::Value as Json;

use super::catalog::ResourceType;
use super::schema::IDENTITY_VERSION;
use super::{Service, guard_now, wire};
use crate::cty::{Budget, Type, Val, from_json, parse_json};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::proto::tfplugin6 as pb;

pub(super) fn state(
    service: &Service,
    message: &pb::upgrade_resource_state::Request,
) -> pb::upgrade_resource_state::Response {
    let one = match service.catalog.resource(&message.type_name) {
        Ok(one) => one,
        Err(diags) => return failed(diags, &Type::Dynamic),
    };
    let mut diags = Diagnostics::new();
    match guard_now(|| current(one, message.version, message.raw_state.as_ref())) {
        Ok(state) => pb::upgrade_resource_state::Response {
            upgraded_state: wire::dynamic(&state, &one.ty, &mut diags),
            diagnostics: wire::diagnostics(diags, &one.ty),
        },
        Err(diags) => failed(diags, &one.ty),
    }
}

fn failed(diags: Diagnostics, ty: &Type) -> pb::upgrade_resource_state::Response {
    pb::upgrade_resource_state::Response {
        upgraded_state: None,
        diagnostics: wire::diagnostics(diags, ty),
    }
}

/// A stored state in the form of the current schema.
pub(super) fn current(one: &ResourceType, version: i64, raw: Option<&pb::RawState>) -> Result<Val> {
    let json = raw.map(|raw| raw.json.as_slice()).unwrap_or_default();
    if json.is_empty() {
        return Err(unreadable("it is not in JSON, the form since Terraform 0.12"));
    }
    let mut json =
        parse_json(json, &mut Budget::default()).map_err(|error| unreadable(&error.to_string()))?;
    let current = one.any.version();
    if version > current {
        let detail = format!(
            "It was written by schema version {version}, and this provider knows {current} at most. Use a newer version of the provider."
        );
        return Err(Diagnostic::error("The state is of a newer provider")
            .detail(detail)
            .into());
    }
    if version < current {
        json = one.any.upgrade(version, json)?;
    }
    from_json(&json, &one.ty).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(reason: &str) -> Diagnostics {
    Diagnostic::error("Cannot read the stored state")
        .detail(format!("The state of this object is unusable: {reason}."))
        .into()
}

pub(super) fn identity(
    service: &Service,
    message: &pb::upgrade_resource_identity::Request,
) -> pb::upgrade_resource_identity::Response {
    let run = || {
        let one = service.catalog.resource(&message.type_name)?;
        let value = current_identity(one, message)?;
        let mut diags = Diagnostics::new();
        match wire::dynamic(&value, &one.identity_ty, &mut diags) {
            Some(data) => Ok(pb::ResourceIdentityData {
                identity_data: Some(data),
            }),
            None => Err(diags),
        }
    };
    match guard_now(run) {
        Ok(identity) => pb::upgrade_resource_identity::Response {
            upgraded_identity: Some(identity),
            diagnostics: Vec::new(),
        },
        Err(diags) => pb::upgrade_resource_identity::Response {
            upgraded_identity: None,
            diagnostics: wire::diagnostics(diags, &Type::Dynamic),
        },
    }
}

/// A stored identity in the form of the current schema; null where there is none to keep, until the object is read. Terraform
/// asks for objects without an identity, too, and OpenTofu keeps that of another type for an object that was moved.
fn current_identity(one: &ResourceType, message: &pb::upgrade_resource_identity::Request) -> Result<Val> {
    let raw = message.raw_identity.as_ref();
    let raw = raw.map(|raw| raw.json.as_slice()).unwrap_or_default();
    if raw.is_empty() {
        return Ok(Val::Null);
    }
    let json = parse_json(raw, &mut Budget::default())
        .map_err(|error| unreadable(&format!("its identity: {error}")))?;
    if message.version < IDENTITY_VERSION && is_anothers(one, &json) {
        return Ok(Val::Null);
    }
    from_json(&json, &one.identity_ty).map_err(|error| unreadable(&error.to_string()))
}

/// Whether an identity has other attributes than this type's, or lacks some.
fn is_anothers(one: &ResourceType, identity: &Json) -> bool {
    let is_known = |key: &String| one.identity.iter().any(|(name, _)| name == key);
    let is_whole = one
        .identity
        .iter()
        .all(|(name, required)| !required || !identity[name].is_null());
    !is_whole || !identity.as_object().is_some_and(|all| all.keys().all(is_known))
}
