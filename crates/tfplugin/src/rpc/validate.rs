//! Judging a configuration, of whatever kind.

use super::{guard_now, wire};
use crate::cty::{Type, Val};
use crate::diag::Diagnostics;
use crate::proto::tfplugin6 as pb;
use crate::schema::Object;
use crate::semantics::{mock, timeouts, validate};
use crate::timeouts::Timeouts;

/// What a configuration has to fit.
pub(super) struct Subject<'a> {
    pub(super) object: &'a Object,
    pub(super) ty: &'a Type,
    pub(super) timeouts: Timeouts,
    /// Whether the client knows write-only attributes, and so stores none.
    pub(super) write_only_allowed: bool,
    /// Whether a mocked run may have made up some of the values.
    pub(super) mocked: bool,
}

/// Runs the checks of the schema, then the provider's own: those get the configuration, and what of it is certain.
pub(super) fn config(
    subject: &Subject<'_>,
    config: Option<&pb::DynamicValue>,
    own: impl Fn(&Val, &Val, &mut Diagnostics),
) -> Vec<pb::Diagnostic> {
    let run = || {
        let value = wire::value(config, subject.ty)?;
        let found = |certain: &Val| {
            let mut diags = validate::object(subject.object, certain, subject.write_only_allowed);
            timeouts::validate(subject.timeouts, &value, &mut diags);
            own(&value, certain, &mut diags);
            diags
        };
        if !subject.mocked {
            return Ok(found(&value));
        }
        let all = found(&mock::without_zeros(&value));
        Ok(mock::without_doubt(all, &found(&mock::certain(&value))))
    };
    wire::diagnostics(guard_now(run).unwrap_or_else(|diags| diags), subject.ty)
}
