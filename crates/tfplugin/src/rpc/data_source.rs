//! Data sources.

use std::collections::BTreeMap;

use super::catalog::DataSourceType;
use super::validate::{self, Subject};
use super::{Service, guard, wire};
use crate::cty::{Type, Val};
use crate::diag::{Diagnostics, Result};
use crate::proto::tfplugin6 as pb;
use crate::semantics::{contract, draft, merge, timeouts};

pub(super) fn validate(
    service: &Service,
    message: &pb::validate_data_resource_config::Request,
) -> pb::validate_data_resource_config::Response {
    let judged = service.catalog.data_source(&message.type_name).map(|one| {
        let subject = Subject {
            object: &one.object,
            ty: &one.ty,
            timeouts: one.timeouts,
            write_only_allowed: false,
            mocked: service.may_be_mocked(),
        };
        validate::config(&subject, message.config.as_ref(), |config, certain, diags| {
            one.any.validate(config, certain, diags);
        })
    });
    pb::validate_data_resource_config::Response {
        diagnostics: judged.unwrap_or_else(|diags| wire::diagnostics(diags, &Type::Dynamic)),
    }
}

pub(super) async fn read(
    service: &Service,
    message: pb::read_data_source::Request,
) -> pb::read_data_source::Response {
    let one = match service.catalog.data_source(&message.type_name) {
        Ok(one) => one,
        Err(diags) => return failed(diags, &Type::Dynamic),
    };
    let (state, mut diags) = match try_read(service, one, &message).await {
        Ok(answer) => answer,
        Err(diags) => return failed(diags, &one.ty),
    };
    let state = wire::dynamic(&state, &one.ty, &mut diags);
    pb::read_data_source::Response {
        state,
        diagnostics: wire::diagnostics(diags, &one.ty),
        deferred: None,
    }
}

fn failed(diags: Diagnostics, ty: &Type) -> pb::read_data_source::Response {
    pb::read_data_source::Response {
        diagnostics: wire::diagnostics(diags, ty),
        ..Default::default()
    }
}

async fn try_read(
    service: &Service,
    one: &DataSourceType,
    message: &pb::read_data_source::Request,
) -> Result<(Val, Diagnostics)> {
    let config = wire::value(message.config.as_ref(), &one.ty)?;
    let call = service.call(
        &one.name,
        timeouts::of(one.timeouts, "read", &config),
        BTreeMap::new(),
    )?;
    // A data source has no plan: defaults are filled in here, and its computed values are unknown.
    let (planned, _) = draft::draft(&one.object, &Val::Null, &config);
    let read = guard(format!("data.{}/read", one.name), one.any.read(&planned, &call)).await;
    let warnings = std::mem::take(&mut call.notes().warnings);
    let state = read.map_err(|diags| warnings.clone().into_iter().chain(diags).collect::<Diagnostics>())?;
    let state = merge::for_state(&one.object, &planned, state);
    let mut diags = warnings;
    diags.extend(contract::applied(&one.object, &planned, &state));
    Ok((state.unknown_to_null(), diags))
}
