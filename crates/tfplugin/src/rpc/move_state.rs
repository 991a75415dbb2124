//! `moved` blocks from another type of resource. No provider here can convert another type's state: the answer says what to
//! write in place of the block. OpenTofu asks whether or not the capability is announced.

use super::{Service, wire};
use crate::cty::Type;
use crate::diag::Diagnostic;
use crate::proto::tfplugin6::move_resource_state::{Request, Response};

pub(super) fn moved(service: &Service, message: &Request) -> Response {
    let (source, target) = (&message.source_type_name, &message.target_type_name);
    let refused = service.catalog.resource(target).map(|one| {
        let then = if one.any.importable() {
            format!(
                "an `import` block with `to = {target}.NAME` and the object's `id` adds it under the new type; the documentation of \
                 `{target}` says what the id is"
            )
        } else {
            format!("`{target}` is created, since it cannot be imported")
        };
        Diagnostic::error(format!("Cannot move `{source}` to `{target}`")).detail(format!(
            "The state of one type of resource cannot be turned into that of the other. Nothing was changed. In place of \
             `moved` write two blocks: a `removed` block with `from = {source}.NAME` and `lifecycle {{ destroy = false }}` takes \
             the object out of the state without destroying it, and {then}."
        ))
    });
    let diags = refused.map_or_else(|unknown| unknown, Into::into);
    Response {
        diagnostics: wire::diagnostics(diags, &Type::Dynamic),
        ..Response::default()
    }
}
