//! What there is, and the provider's own settings.

use super::validate::{self, Subject};
use super::{Client, Service, guard, schema as messages, wire};
use crate::cty::Val;
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::log;
use crate::path::Path;
use crate::proto::tfplugin6 as pb;
use crate::provider::registry::ConfigureRequest;
use crate::schema::{Nesting, Object, Shape};
use crate::timeouts::Timeouts;

fn capabilities() -> pb::ServerCapabilities {
    pb::ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        // So that Terraform asks, and shows what to write in place of a `moved` block.
        move_resource_state: true,
        generate_resource_config: true,
    }
}

pub(super) fn metadata(service: &Service) -> pb::get_metadata::Response {
    use pb::get_metadata::{
        ActionMetadata, DataSourceMetadata, EphemeralResourceMetadata, FunctionMetadata,
        ListResourceMetadata, ResourceMetadata,
    };
    let catalog = &service.catalog;
    let named = |name: &String| name.clone();
    pb::get_metadata::Response {
        server_capabilities: Some(capabilities()),
        diagnostics: wire::diagnostics(catalog.faults.clone(), &catalog.ty),
        resources: catalog
            .resources
            .keys()
            .map(named)
            .map(|type_name| ResourceMetadata { type_name })
            .collect(),
        data_sources: catalog
            .data_sources
            .keys()
            .map(named)
            .map(|type_name| DataSourceMetadata { type_name })
            .collect(),
        list_resources: catalog
            .lists
            .keys()
            .map(named)
            .map(|type_name| ListResourceMetadata { type_name })
            .collect(),
        functions: catalog
            .functions
            .keys()
            .map(|name| FunctionMetadata {
                name: (*name).to_owned(),
            })
            .collect(),
        actions: catalog
            .actions
            .keys()
            .map(named)
            .map(|type_name| ActionMetadata { type_name })
            .collect(),
        ephemeral_resources: catalog
            .ephemerals
            .keys()
            .map(named)
            .map(|type_name| EphemeralResourceMetadata { type_name })
            .collect(),
        ..Default::default()
    }
}

pub(super) fn schema(service: &Service) -> pb::get_provider_schema::Response {
    let catalog = &service.catalog;
    pb::get_provider_schema::Response {
        provider: Some(messages::schema(&catalog.object, 0, Timeouts::none())),
        resource_schemas: catalog
            .resources
            .values()
            .map(|one| {
                (
                    one.name.clone(),
                    messages::schema(&one.object, one.any.version(), one.timeouts),
                )
            })
            .collect(),
        data_source_schemas: catalog
            .data_sources
            .values()
            .map(|one| (one.name.clone(), messages::schema(&one.object, 0, one.timeouts)))
            .collect(),
        list_resource_schemas: catalog
            .lists
            .values()
            .map(|one| {
                (
                    one.name.clone(),
                    messages::schema(&one.object, 0, Timeouts::none()),
                )
            })
            .collect(),
        functions: super::function::all(catalog),
        action_schemas: catalog
            .actions
            .values()
            .map(|one| (one.name.clone(), messages::action(&one.object, one.timeouts)))
            .collect(),
        ephemeral_resource_schemas: catalog
            .ephemerals
            .values()
            .map(|one| (one.name.clone(), messages::schema(&one.object, 0, one.timeouts)))
            .collect(),
        diagnostics: wire::diagnostics(catalog.faults.clone(), &catalog.ty),
        server_capabilities: Some(capabilities()),
        ..Default::default()
    }
}

pub(super) fn identity_schemas(service: &Service) -> pb::get_resource_identity_schemas::Response {
    let with_identity = service
        .catalog
        .resources
        .values()
        .filter(|one| !one.identity.is_empty());
    pb::get_resource_identity_schemas::Response {
        identity_schemas: with_identity
            .map(|one| (one.name.clone(), messages::identity(&one.object, &one.identity)))
            .collect(),
        diagnostics: Vec::new(),
    }
}

pub(super) fn validate(
    service: &Service,
    message: &pb::validate_provider_config::Request,
) -> pb::validate_provider_config::Response {
    let catalog = &service.catalog;
    let subject = Subject {
        object: &catalog.object,
        ty: &catalog.ty,
        timeouts: Timeouts::none(),
        // A provider's settings are never stored.
        write_only_allowed: true,
        mocked: false,
    };
    service.settings_have_come();
    pb::validate_provider_config::Response {
        diagnostics: validate::config(&subject, message.config.as_ref(), |config, _, diags| {
            catalog.provider.validate(config, diags);
        }),
    }
}

pub(super) async fn configure(
    service: &Service,
    message: pb::configure_provider::Request,
) -> pb::configure_provider::Response {
    let diags = match try_configure(service, &message).await {
        Ok(()) => Diagnostics::new(),
        Err(diags) => {
            service.set_client(Client::Missing("its configuration failed".to_owned()));
            placed(diags, service, &message)
        }
    };
    pb::configure_provider::Response {
        diagnostics: wire::diagnostics(diags, &service.catalog.ty),
    }
}

/// Where nothing is configured there may be no block to point into: then the messages are about the provider as a whole.
fn placed(diags: Diagnostics, service: &Service, message: &pb::configure_provider::Request) -> Diagnostics {
    let config = wire::value(message.config.as_ref(), &service.catalog.ty).unwrap_or_default();
    if held(&config).any(|value| !value.is_null()) {
        return diags;
    }
    let whole = |one: Diagnostic| Diagnostic {
        path: Path::empty(),
        ..one
    };
    diags.into_iter().map(whole).collect()
}

async fn try_configure(service: &Service, message: &pb::configure_provider::Request) -> Result<()> {
    let catalog = &service.catalog;
    let config = wire::value(message.config.as_ref(), &catalog.ty)?;
    hide_secrets(&catalog.object, &config);
    let unknown = catalog
        .object
        .attributes
        .iter()
        .find(|attr| !attr.parameter.unknown && !config.get(&attr.name).is_wholly_known());
    if let Some(attr) = unknown {
        let reason = format!("its setting `{}` is known only after apply", attr.name);
        service.set_client(Client::Missing(reason));
        return Ok(());
    }
    let config = with_defaults(&catalog.object, config);
    let request = ConfigureRequest {
        terraform_version: message.terraform_version.clone(),
        provider_name: catalog.provider.name(),
        provider_version: service.version,
        more_user_agent: std::env::var("TF_APPEND_USER_AGENT").unwrap_or_default(),
    };
    let client = guard(
        "provider/configure".to_owned(),
        catalog.provider.configure(&config, &request),
    )
    .await?;
    service.set_client(Client::Ready(client));
    Ok(())
}

/// A provider's settings are never computed by Terraform: defaults are filled in here.
fn with_defaults(object: &Object, config: Val) -> Val {
    let Val::Map(mut all) = config else { return config };
    for attr in &object.attributes {
        if let (Some(default), Some(value)) = (&attr.default, all.get_mut(&attr.name))
            && value.is_null()
        {
            *value = default();
        }
    }
    Val::Map(all)
}

fn hide_secrets(object: &Object, config: &Val) {
    for attr in &object.attributes {
        let value = config.get(&attr.name);
        match &attr.shape {
            _ if attr.sensitive => hide_texts(value),
            Shape::Nested(Nesting::Single, inner) => hide_secrets(inner, value),
            Shape::Nested(_, inner) => held(value).for_each(|one| hide_secrets(inner, one)),
            Shape::Plain(_) => {}
        }
    }
}

fn hide_texts(value: &Val) {
    if let Val::String(secret) = value {
        log::hide(secret);
    }
    held(value).for_each(hide_texts);
}

/// What a collection or an object holds.
fn held(value: &Val) -> impl Iterator<Item = &Val> {
    let named = if let Val::Map(all) = value {
        Some(all.values())
    } else {
        None
    };
    named.into_iter().flatten().chain(value.elements())
}

pub(super) fn stop(service: &Service) -> pb::stop_provider::Response {
    service.stop();
    pb::stop_provider::Response::default()
}
