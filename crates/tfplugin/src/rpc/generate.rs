//! Generating the configuration of an object that exists: for `import` blocks and lists with `-generate-config-out`.

use super::catalog::ResourceType;
use super::{Service, guard_now, wire};
use crate::cty::{Type, Val};
use crate::diag::{Diagnostics, Result};
use crate::proto::tfplugin6 as pb;
use crate::semantics::generate;

pub(super) fn config(
    service: &Service,
    message: &pb::generate_resource_config::Request,
) -> pb::generate_resource_config::Response {
    let one = match service.catalog.resource(&message.type_name) {
        Ok(one) => one,
        Err(diags) => return failed(diags, &Type::Dynamic),
    };
    match guard_now(|| generated(one, message)) {
        Ok(config) => {
            let mut diags = Diagnostics::new();
            pb::generate_resource_config::Response {
                config: wire::dynamic(&config, &one.ty, &mut diags),
                diagnostics: wire::diagnostics(diags, &one.ty),
            }
        }
        Err(diags) => failed(diags, &one.ty),
    }
}

fn failed(diags: Diagnostics, ty: &Type) -> pb::generate_resource_config::Response {
    pb::generate_resource_config::Response {
        config: None,
        diagnostics: wire::diagnostics(diags, ty),
    }
}

fn generated(one: &ResourceType, message: &pb::generate_resource_config::Request) -> Result<Val> {
    let state = wire::value(message.state.as_ref(), &one.ty)?;
    let mut config = generate::config(&one.object, &state);
    if !config.is_null() {
        for alternatives in one.any.excluding(&config) {
            generate::keep_one(&one.object, &alternatives, &mut config);
        }
        one.any.generated(&mut config);
    }
    Ok(config)
}
