//! Ephemeral resources: judged, opened, renewed and closed. Nothing of them is stored, so there is no plan and no merge with a state.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::catalog::EphemeralType;
use super::validate::{self, Subject};
use super::{Service, guard, wire};
use crate::cty::{Type, Val};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::log;
use crate::proto::tfplugin6 as pb;
use crate::provider::ephemeral::{Opened, Renewed};
use crate::provider::operation::Call;
use crate::schema::{Object, Shape};
use crate::semantics::{contract, draft, merge, timeouts};
use crate::timeouts::Timeouts;

pub(super) fn validate(
    service: &Service,
    message: &pb::validate_ephemeral_resource_config::Request,
) -> pb::validate_ephemeral_resource_config::Response {
    let judged = service.catalog.ephemeral(&message.type_name).map(|one| {
        let subject = Subject {
            object: &one.object,
            ty: &one.ty,
            timeouts: one.timeouts,
            // The configuration is never stored.
            write_only_allowed: true,
            mocked: service.may_be_mocked(),
        };
        validate::config(&subject, message.config.as_ref(), |config, certain, diags| {
            one.any.validate(config, certain, diags);
        })
    });
    pb::validate_ephemeral_resource_config::Response {
        diagnostics: judged.unwrap_or_else(|diags| wire::diagnostics(diags, &Type::Dynamic)),
    }
}

pub(super) async fn open(
    service: &Service,
    message: pb::open_ephemeral_resource::Request,
) -> pb::open_ephemeral_resource::Response {
    let failed = |diags: Diagnostics, ty: &Type| pb::open_ephemeral_resource::Response {
        diagnostics: wire::diagnostics(diags, ty),
        ..Default::default()
    };
    let one = match service.catalog.ephemeral(&message.type_name) {
        Ok(one) => one,
        Err(diags) => return failed(diags, &Type::Dynamic),
    };
    let (opened, mut diags) = match try_open(service, one, &message).await {
        Ok(answer) => answer,
        Err(diags) => return failed(diags, &one.ty),
    };
    let result = wire::dynamic(&opened.result, &one.ty, &mut diags);
    pb::open_ephemeral_resource::Response {
        result,
        renew_at: opened.renew_at.and_then(timestamp),
        private: (!opened.kept.is_empty()).then_some(opened.kept),
        diagnostics: wire::diagnostics(diags, &one.ty),
        deferred: None,
    }
}

async fn try_open(
    service: &Service,
    one: &EphemeralType,
    message: &pb::open_ephemeral_resource::Request,
) -> Result<(Opened<Val>, Diagnostics)> {
    let config = wire::value(message.config.as_ref(), &one.ty)?;
    if !config.is_wholly_known() {
        return Err(Diagnostic::error("The ephemeral resource cannot be opened yet")
            .detail(format!(
                "A value in the configuration of `{}` is known only after apply. Nothing was opened.",
                one.name
            ))
            .into());
    }
    let limit = timeouts::of(one.timeouts, "open", &config);
    let call = service.call(&one.name, limit, BTreeMap::new())?;
    // There is no plan: defaults are filled in here, and its computed values are unknown.
    let (planned, _) = draft::draft(&one.object, &Val::Null, &config);
    let label = format!("ephemeral.{}/open", one.name);
    let opened = guard(label, one.any.open(&planned, &call)).await;
    let Opened {
        result,
        kept,
        renew_at,
    } = with_warnings(opened, &call)?;
    let result = merge::for_state(&one.object, &planned, result);
    hide_sensitive(&one.object, &result);
    let mut diags = std::mem::take(&mut call.notes().warnings);
    diags.extend(contract::applied(&one.object, &planned, &result));
    let opened = Opened {
        result: result.unknown_to_null(),
        kept,
        renew_at,
    };
    Ok((opened, diags))
}

/// The result; an error has the warnings before it.
fn with_warnings<T>(result: Result<T>, call: &Call) -> Result<T> {
    result.map_err(|diags| {
        let warnings = std::mem::take(&mut call.notes().warnings);
        warnings.into_iter().chain(diags).collect()
    })
}

/// From here on the values of sensitive attributes are in no log line and no message.
fn hide_sensitive(object: &Object, value: &Val) {
    for attr in &object.attributes {
        let inner = value.get(&attr.name);
        match (&attr.shape, inner) {
            (Shape::Nested(_, object), Val::List(all) | Val::Set(all)) => {
                for one in all {
                    hide_sensitive(object, one);
                }
            }
            (Shape::Nested(_, object), inner) => hide_sensitive(object, inner),
            (Shape::Plain(_), Val::String(text)) if attr.sensitive => log::hide(text),
            (Shape::Plain(_), _) => {}
        }
    }
}

pub(super) async fn renew(
    service: &Service,
    message: pb::renew_ephemeral_resource::Request,
) -> pb::renew_ephemeral_resource::Response {
    let kept = message.private.unwrap_or_default();
    let renewed = match begin(service, &message.type_name) {
        Ok((one, call)) => {
            let label = format!("ephemeral.{}/renew", one.name);
            let renewed = guard(label, one.any.renew(kept, &call)).await;
            with_warnings(renewed, &call).map(|renewed| (renewed, std::mem::take(&mut call.notes().warnings)))
        }
        Err(diags) => Err(diags),
    };
    match renewed {
        Ok((Renewed { kept, renew_at }, warnings)) => pb::renew_ephemeral_resource::Response {
            diagnostics: wire::diagnostics(warnings, &Type::Dynamic),
            renew_at: renew_at.and_then(timestamp),
            private: (!kept.is_empty()).then_some(kept),
        },
        Err(diags) => pb::renew_ephemeral_resource::Response {
            diagnostics: wire::diagnostics(diags, &Type::Dynamic),
            ..Default::default()
        },
    }
}

pub(super) async fn close(
    service: &Service,
    message: pb::close_ephemeral_resource::Request,
) -> pb::close_ephemeral_resource::Response {
    let kept = message.private.unwrap_or_default();
    let diags = match begin(service, &message.type_name) {
        Ok((one, call)) => {
            let label = format!("ephemeral.{}/close", one.name);
            let closed = guard(label, one.any.close(kept, &call)).await;
            let mut diags = std::mem::take(&mut call.notes().warnings);
            diags.extend(closed.err().into_iter().flatten());
            diags
        }
        Err(diags) => diags,
    };
    pb::close_ephemeral_resource::Response {
        diagnostics: wire::diagnostics(diags, &Type::Dynamic),
    }
}

/// What a call about an open one works with. No configuration comes with it, and so no timeout.
fn begin<'a>(service: &'a Service, name: &str) -> Result<(&'a EphemeralType, Call)> {
    let one = service.catalog.ephemeral(name)?;
    let limit = timeouts::of(Timeouts::none(), "renew", &Val::Null);
    Ok((one, service.call(&one.name, limit, BTreeMap::new())?))
}

/// The time as a message; none where it is before 1970 or beyond what a message holds.
fn timestamp(time: SystemTime) -> Option<prost_types::Timestamp> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(prost_types::Timestamp {
        seconds: i64::try_from(since.as_secs()).ok()?,
        nanos: i32::try_from(since.subsec_nanos()).ok()?,
    })
}
