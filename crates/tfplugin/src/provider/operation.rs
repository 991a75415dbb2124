//! One operation of a resource, data source or action: what its code can use.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::action::Action;
use super::attempts::Attempts;
use super::data_source::DataSource;
use super::ephemeral::Ephemeral;
use super::list::List;
use super::plan::AnyClient;
use super::resource::Resource;
use crate::cty::Val;
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::log;

/// One operation under way, whatever the resource.
pub(crate) struct Call {
    pub(crate) subject: String,
    pub(crate) client: AnyClient,
    pub(crate) cancel: CancellationToken,
    pub(crate) deadline: Instant,
    pub(crate) notes: Mutex<Notes>,
}

/// What an operation leaves behind besides its result.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) saved: Option<Val>,
    pub(crate) warnings: Diagnostics,
    pub(crate) private: BTreeMap<String, Vec<u8>>,
    /// Where the user sees an operation's progress: what was not sent yet.
    pub(crate) progress: Option<VecDeque<String>>,
}

impl Call {
    pub(crate) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how it goes on: in the log, and to the user where something carries it there.
    pub(crate) fn progress(&self, message: &str) {
        log::progress(&self.subject, message);
        if let Some(waiting) = &mut self.notes().progress {
            waiting.push_back(log::scrub(message));
        }
    }

    /// The operation on one object of a list: it ends with the list's, and leaves behind what is its own.
    pub(crate) fn for_object(&self) -> Self {
        Self {
            subject: self.subject.clone(),
            client: Arc::clone(&self.client),
            cancel: self.cancel.clone(),
            deadline: self.deadline,
            notes: Mutex::default(),
        }
    }
}

/// One operation on one object of `T`, under way: its client, cancellation, deadline and private state.
pub struct Operation<'a, T> {
    call: &'a Call,
    subject: PhantomData<fn() -> T>,
}

/// Marks the client of a resource.
#[derive(Debug)]
pub enum OfResource {}

/// Marks the client of a data source.
#[derive(Debug)]
pub enum OfDataSource {}

/// Marks the client of an action.
#[derive(Debug)]
pub enum OfAction {}

/// Marks the client of an ephemeral resource.
#[derive(Debug)]
pub enum OfEphemeral {}

/// Marks the client of a list.
#[derive(Debug)]
pub enum OfList {}

/// Where the client type comes from; `K` is inferred.
pub trait ClientOf<K> {
    /// The client.
    type Client: Send + Sync + 'static;
}

impl<R: Resource> ClientOf<OfResource> for R {
    type Client = R::Client;
}

impl<D: DataSource> ClientOf<OfDataSource> for D {
    type Client = D::Client;
}

impl<A: Action> ClientOf<OfAction> for A {
    type Client = A::Client;
}

impl<E: Ephemeral> ClientOf<OfEphemeral> for E {
    type Client = E::Client;
}

impl<L: List> ClientOf<OfList> for L {
    type Client = <L::Of as Resource>::Client;
}

impl<'a, T> Operation<'a, T> {
    pub(crate) fn new(call: &'a Call) -> Self {
        Self {
            call,
            subject: PhantomData,
        }
    }

    /// The provider's client.
    pub fn client<K>(&self) -> &'a <T as ClientOf<K>>::Client
    where
        T: ClientOf<K>,
    {
        let any: &'a (dyn Any + Send + Sync) = &*self.call.client;
        match any.downcast_ref() {
            Some(client) => client,
            // The registry takes only resources of the provider's own client type.
            None => unreachable!("the client is of another type than the registry's"),
        }
    }

    /// Records that the object exists and what it is like. From here on an error no longer orphans it: the
    /// state is kept, with what is not known yet as null.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a state is passed where it is made: `operation.save(plan.with(&made))`"
    )]
    pub fn save(&self, state: T)
    where
        T: Resource,
    {
        self.call.notes().saved = Some(state.to_val());
    }

    /// Adds a warning to the result of the operation.
    pub fn warn(&self, diagnostic: Diagnostic) {
        self.call.notes().warnings.push(Diagnostic {
            severity: Severity::Warning,
            ..diagnostic
        });
    }

    /// Logs a line about the progress of the operation. The user of an action sees it while the action runs.
    pub fn progress(&self, message: impl AsRef<str>) {
        self.call.progress(message.as_ref());
    }

    /// Cancelled when the user interrupts.
    pub fn cancelled(&self) -> &CancellationToken {
        &self.call.cancel
    }

    /// The deadline of the operation: the `timeouts` block, or the default.
    pub fn deadline(&self) -> Instant {
        self.call.deadline
    }

    /// What [`Operation::set_private`] stored under a key.
    pub fn private(&self, key: &str) -> Option<Vec<u8>> {
        self.call.notes().private.get(key).cloned()
    }

    /// Stores bytes with the object that no user sees; empty bytes remove them. They go with the object: one that
    /// replaces it starts with none.
    pub fn set_private(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let bytes = bytes.into();
        let mut notes = self.call.notes();
        if bytes.is_empty() {
            notes.private.remove(key);
        } else {
            notes.private.insert(key.to_owned(), bytes);
        }
    }

    /// Attempts this long apart, the first at once, until the deadline passes or the user interrupts: for a loop that
    /// waits.
    pub fn attempts(&self, every: Duration) -> Attempts<'a> {
        Attempts::new(self.call, every)
    }
}
