//! The trait of a managed resource, and what it may say about itself.

use std::future::Future;

use serde_json::Value as Json;

use super::config::Config;
use super::generated::GeneratedConfig;
use super::import::ImportedAttrs;
use super::moves::Moves;
use super::operation::Operation;
use super::plan::Plan;
use super::rules::Rules;
use crate::attr::Attrs;
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::timeouts::Timeouts;

/// A managed resource: the struct is its schema, the trait its behaviour.
///
/// In `create`, `read`, `update` and `delete` values are plain: null and unknown are `None`, or the type's default
/// where the field is not an `Option`.
pub trait Resource: Attrs {
    /// The name in HCL, without the provider's prefix.
    const NAME: &'static str;
    /// The provider's client.
    type Client: Send + Sync + 'static;
    /// The attributes that identify an object; copied from state.
    const IDENTITY: Identity = Identity::of(&["id"]);
    /// Which timeouts a user may set, and their defaults.
    const TIMEOUTS: Timeouts = Timeouts::none();
    /// The schema's version. An older state goes through [`Resource::upgrade`].
    const VERSION: i64 = 0;
    /// Whether `terraform import` works.
    const IMPORTABLE: bool = true;
    /// Rules over several attributes of the configuration.
    const RULES: Rules<Self> = Vec::new;
    /// Whether [`Resource::plan`] runs for a destroy too.
    const PLANS_DESTROY: bool = false;
    /// Other types of resources whose objects a `moved` block may make objects of this one.
    const MOVES: Moves<Self> = Vec::new;

    /// Makes the object. Call [`Operation::save`] as soon as it exists.
    fn create(plan: Self, operation: &mut Operation<'_, Self>) -> impl Future<Output = Result<Self>> + Send;

    /// Reads the object back; `None` where it is gone.
    fn read(
        state: Self,
        operation: &mut Operation<'_, Self>,
    ) -> impl Future<Output = Result<Option<Self>>> + Send;

    /// Changes the object in place.
    fn update(
        prior: Self,
        plan: Self,
        operation: &mut Operation<'_, Self>,
    ) -> impl Future<Output = Result<Self>> + Send;

    /// Removes the object; one that is gone already is no error.
    fn delete(state: Self, operation: &mut Operation<'_, Self>) -> impl Future<Output = Result<()>> + Send;

    /// Refuses a configuration that neither an attribute's `check` nor [`Resource::RULES`] can judge. Values may be
    /// unknown.
    fn validate_config(_config: &Config<'_, Self>, _diags: &mut Diagnostics) {}

    /// Adjusts the plan of a create or update, after defaults, `use_state_for_unknown` and `equal`; that of a destroy
    /// where [`Resource::PLANS_DESTROY`] says so.
    fn plan(_plan: &mut Plan<'_, Self>) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Which attributes an import id sets. By default the whole id is the single identity attribute. Each value then
    /// meets the checks of its attribute.
    fn import_id(id: &str) -> Result<ImportedAttrs<Self>> {
        match Self::IDENTITY.attributes().as_slice() {
            [(name, _)] => Ok(ImportedAttrs::new().text(name, id.to_owned())),
            _ => Err(Diagnostic::error("Cannot import by id")
                .detail("The identity of this resource has more than one attribute: use an `identity` in the import block.")
                .into()),
        }
    }

    /// Leaves out more of a configuration that is generated for an object that exists. What only the provider sets, defaults,
    /// and what [`Resource::RULES`] excludes are left out already.
    fn generated(_config: &mut GeneratedConfig<'_, Self>) {}

    /// Turns the state of an older schema version into that of the current one.
    fn upgrade(version: i64, _raw: Json) -> Result<Json> {
        Err(Diagnostic::error("State of an unknown schema version")
            .detail(format!(
                "The state was written by schema version {version}, which this provider cannot upgrade."
            ))
            .into())
    }
}

/// The attributes that identify an object.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

impl Identity {
    /// These attributes, all needed to import.
    pub const fn of(attributes: &'static [&'static str]) -> Self {
        Self {
            required: attributes,
            optional: &[],
        }
    }

    /// Nothing: the object has no identity, and cannot be imported by one.
    pub const fn none() -> Self {
        Self::of(&[])
    }

    /// Further attributes, which an import may leave out.
    pub const fn optional(mut self, attributes: &'static [&'static str]) -> Self {
        self.optional = attributes;
        self
    }

    /// The attributes, and whether an import needs them.
    pub(crate) fn attributes(&self) -> Vec<(&'static str, bool)> {
        let required = self.required.iter().map(|name| (*name, true));
        required
            .chain(self.optional.iter().map(|name| (*name, false)))
            .collect()
    }
}
