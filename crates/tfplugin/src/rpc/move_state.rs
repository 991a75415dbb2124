//! `moved` blocks from another type of resource: its state becomes one of ours, or the answer says what to write in place of
//! the block. OpenTofu asks whether or not the capability is announced.

use super::catalog::ResourceType;
use super::{Service, guard_now, read, upgrade, wire};
use crate::cty::{Budget, Type, Val, parse_json};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::proto::tfplugin6::RawState;
use crate::proto::tfplugin6::move_resource_state::{Request, Response};
use crate::provider::moves::{MoveRefused, MoveSource, MovedObject};
use crate::semantics::draft::TIMEOUTS;
use crate::semantics::merge;

pub(super) fn moved(service: &Service, message: &Request) -> Response {
    let one = match service.catalog.resource(&message.target_type_name) {
        Ok(one) => one,
        Err(diags) => return failed(diags, &Type::Dynamic),
    };
    let moved = guard_now(|| {
        // The same type of a provider of another address, as after a change of the registry: its state is this provider's own.
        if message.source_type_name == one.name {
            let raw = message.source_state.as_ref();
            let state = upgrade::current(one, message.source_schema_version, raw)?;
            return Ok((state, message.source_private.clone()));
        }
        convert(one, message)
    });
    match moved {
        Ok((state, private)) => respond(one, &state, private),
        Err(diags) => failed(diags, &one.ty),
    }
}

fn failed(diags: Diagnostics, ty: &Type) -> Response {
    Response {
        diagnostics: wire::diagnostics(diags, ty),
        ..Response::default()
    }
}

fn respond(one: &ResourceType, state: &Val, target_private: Vec<u8>) -> Response {
    let mut diags = Diagnostics::new();
    let target_identity = read::identity(one, state, &mut diags);
    let target_state = wire::dynamic(state, &one.ty, &mut diags);
    Response {
        target_state,
        diagnostics: wire::diagnostics(diags, &one.ty),
        target_private,
        target_identity,
    }
}

/// The state of another type, as one of ours, with its private state.
fn convert(one: &ResourceType, message: &Request) -> Result<(Val, Vec<u8>)> {
    let converted = source(one, message).and_then(|source| {
        let mut object = object(message)?;
        let state = one.any.moved(source, &mut object)?;
        Ok((state, object))
    });
    let (state, object) = converted.map_err(|refused| refusal(one, message, refused))?;
    let mut state = merge::for_state(&one.object, &Val::Null, state).unknown_to_null();
    if let (Val::Map(all), false) = (&mut state, one.timeouts.entries().is_empty()) {
        all.insert(TIMEOUTS.to_owned(), Val::Null);
    }
    Ok((state, wire::private_to_bytes(&object.private)))
}

/// Which of the resource's moves this is.
fn source(one: &ResourceType, message: &Request) -> Result<usize, MoveRefused> {
    let sources = one.any.moves();
    let same_type = |source: &&MoveSource| source.type_name == message.source_type_name;
    let provider = message.source_provider_address.as_str();
    let is_whole = |source: &MoveSource| {
        source.provider == in_its_registry(provider)
            && source.versions.contains(&message.source_schema_version)
    };
    if let Some(found) = sources
        .iter()
        .position(|source| same_type(&source) && is_whole(source))
    {
        return Ok(found);
    }
    let why = match sources.iter().find(same_type) {
        None => unknown_type(&one.name, &sources),
        Some(known) if known.provider != in_its_registry(provider) => format!(
            "Its state is of the provider `{provider}`, and what is known here is `{}` of `{}`.",
            known.type_name, known.provider
        ),
        Some(known) => format!(
            "Its state has version {} of the schema of `{}`, and versions {} to {} are known here. A newer version of this \
             provider may know it.",
            message.source_schema_version,
            known.provider,
            known.versions.start(),
            known.versions.end()
        ),
    };
    Err(MoveRefused::new(why))
}

fn unknown_type(target: &str, sources: &[MoveSource]) -> String {
    if sources.is_empty() {
        return format!("No other type of resource can be moved to `{target}`.");
    }
    let known = sources
        .iter()
        .map(|source| format!("`{}` of `{}`", source.type_name, source.provider));
    let known = known.collect::<Vec<_>>().join(", ");
    format!("What can be moved to `{target}` is {known}.")
}

/// An address without the registry's host: mirrors and the two tools' own registries have the same provider.
fn in_its_registry(address: &str) -> &str {
    address.split_once('/').map_or(address, |(_, rest)| rest)
}

fn object(message: &Request) -> Result<MovedObject, MoveRefused> {
    let json = |raw: Option<&RawState>| raw.map(|raw| raw.json.clone()).unwrap_or_default();
    let state = json(message.source_state.as_ref());
    if state.is_empty() {
        return Err(MoveRefused::new(
            "Its state is not in JSON, the form since Terraform 0.12.",
        ));
    }
    let unreadable = |what: &str, error: &dyn std::fmt::Display| {
        MoveRefused::new(format!("Its {what} cannot be read: {error}."))
    };
    let state = parse_json(&state, &mut Budget::default()).map_err(|error| unreadable("state", &error))?;
    if !state.is_object() {
        return Err(unreadable("state", &"it is no object"));
    }
    let identity = json(message.source_identity.as_ref());
    let identity = (!identity.is_empty()).then(|| parse_json(&identity, &mut Budget::default()));
    let identity = identity
        .transpose()
        .map_err(|error| unreadable("identity", &error))?;
    Ok(MovedObject {
        state,
        identity: identity.filter(|identity| !identity.is_null()),
        version: message.source_schema_version,
        private: std::collections::BTreeMap::new(),
    })
}

fn refusal(one: &ResourceType, message: &Request, refused: MoveRefused) -> Diagnostic {
    let (source, target) = (&message.source_type_name, &one.name);
    let instead = refused.instead.unwrap_or_else(|| {
        let then = if one.any.importable() {
            format!(
                "an `import` block with `to = {target}.NAME` and the object's `id` adds it under the new type; the documentation of \
                 `{target}` says what the id is"
            )
        } else {
            format!("`{target}` is created, since it cannot be imported")
        };
        format!(
            "In place of `moved` write two blocks: a `removed` block with `from = {source}.NAME` and \
             `lifecycle {{ destroy = false }}` takes the object out of the state without destroying it, and {then}."
        )
    });
    Diagnostic::failed(format!("move `{source}` to `{target}`"))
        .because(refused.why)
        .standing(standing(message))
        .next(instead)
}

/// With the object's id, where it has one: which of many it is.
fn standing(message: &Request) -> String {
    let state = object(message).ok().map(|object| object.state);
    let id = state.as_ref().and_then(|state| state["id"].as_str());
    match id.filter(|id| !id.is_empty()) {
        Some(id) => format!(
            "Nothing was changed. In its state the object has the id `{}`.",
            id.escape_debug()
        ),
        None => "Nothing was changed.".to_owned(),
    }
}
