//! A plan while the provider adjusts it.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::config;
use super::resource::Resource;
use crate::attr::{Attr, AttrType, ValueOf};
use crate::cty::Val;
use crate::diag::{Diagnostic, Diagnostics};
use crate::path::Path;
use crate::value::Value;

/// What a plan is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanAction {
    /// Make an object (also the second half of a replacement).
    Create,
    /// Change an object in place, or replace it.
    Update,
    /// Remove an object.
    Delete,
}

/// The client as the server holds it.
pub(crate) type AnyClient = Arc<dyn Any + Send + Sync>;

/// A plan, whatever the resource.
pub(crate) struct PlanState {
    pub(crate) action: PlanAction,
    pub(crate) prior: Val,
    pub(crate) config: Val,
    pub(crate) planned: Val,
    pub(crate) private: BTreeMap<String, Vec<u8>>,
    pub(crate) replace: Vec<Path>,
    /// What `ignore_changes` keeps of computed attributes.
    pub(crate) ignored: Vec<Path>,
    /// An apply makes this plan once more.
    pub(crate) is_within_apply: bool,
    pub(crate) diags: Diagnostics,
    pub(crate) client: Option<AnyClient>,
    pub(crate) cancel: CancellationToken,
}

/// The plan of one resource, as its `plan` hook sees it.
pub struct Plan<'a, R> {
    state: &'a mut PlanState,
    prior: Option<R>,
}

impl<'a, R: Resource> Plan<'a, R> {
    pub(crate) fn new(state: &'a mut PlanState, prior: Option<R>) -> Self {
        Self { state, prior }
    }

    /// What is about to be done.
    pub fn action(&self) -> PlanAction {
        self.state.action
    }

    /// The object as it is; none on create.
    pub fn prior(&self) -> Option<&R> {
        self.prior.as_ref()
    }

    /// What the object has for an attribute; null on create.
    pub fn held<T: AttrType>(&self, attr: Attr<R, T>) -> Value<T::Known> {
        config::read(&self.state.prior, &attr.into())
    }

    /// What the user wrote for an attribute.
    pub fn config<T: AttrType>(&self, attr: Attr<R, T>) -> Value<T::Known> {
        config::read(&self.state.config, &attr.into())
    }

    /// What is planned for an attribute.
    pub fn planned<T: AttrType>(&self, attr: Attr<R, T>) -> Value<T::Known> {
        config::read(&self.state.planned, &attr.into())
    }

    /// Plans a value. Terraform accepts it only where the attribute is computed and the configuration silent. A value that
    /// `ignore_changes` keeps stays as it is: nothing is planned there.
    pub fn set<T: AttrType>(&mut self, attr: Attr<R, T>, value: impl ValueOf<T>) {
        self.put(&attr.into(), value.val());
    }

    /// Plans a value that is known only after apply.
    pub fn set_unknown<T: AttrType>(&mut self, attr: Attr<R, T>) {
        self.put(&attr.into(), Val::UNKNOWN);
    }

    /// Has the object replaced because of this attribute.
    pub fn replace<T: AttrType>(&mut self, attr: Attr<R, T>) {
        let path = Path::from(attr);
        if self.state.action == PlanAction::Update && !self.state.replace.contains(&path) {
            self.state.replace.push(path);
        }
    }

    /// What an operation stored with the object under a key. A create that replaces an object sees what that one had.
    pub fn private(&self, key: &str) -> Option<Vec<u8>> {
        self.state.private.get(key).cloned()
    }

    /// Whether the object is to be replaced.
    pub fn replaces(&self) -> bool {
        !self.state.replace.is_empty()
    }

    /// Whether an apply makes this plan once more, with what it has learned since: the user has seen the first one, and approved
    /// it. Both tools plan each change twice; where nothing was applied yet, OpenTofu does not let this be told, and it is false.
    pub fn is_within_apply(&self) -> bool {
        self.state.is_within_apply
    }

    /// Tells the user something with the plan. Not once more within the apply.
    pub fn warn(&mut self, diagnostic: Diagnostic) {
        if self.state.is_within_apply {
            return;
        }
        self.state.diags.push(Diagnostic {
            severity: crate::diag::Severity::Warning,
            ..diagnostic
        });
    }

    /// Refuses the plan, once the hook is through.
    pub fn error(&mut self, diagnostic: Diagnostic) {
        self.state.diags.push(Diagnostic {
            severity: crate::diag::Severity::Error,
            ..diagnostic
        });
    }

    /// The client; none while the provider is not configured or one of its settings is unknown.
    pub fn client(&self) -> Option<&R::Client> {
        self.state
            .client
            .as_deref()
            .and_then(<dyn Any + Send + Sync>::downcast_ref)
    }

    /// Cancelled when the user interrupts.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.state.cancel
    }

    fn put(&mut self, path: &Path, value: Val) {
        if self.state.ignored.iter().any(|kept| path.starts_with(kept)) {
            return;
        }
        if !self.state.planned.put(path.steps(), value) {
            self.state.diags.push(
                Diagnostic::error("The provider planned a value where there is none").detail(format!(
                    "This is a bug in the provider: the plan has nothing at `{path}`."
                )),
            );
        }
    }
}
