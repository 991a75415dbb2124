//! The provider service: one method a call of the protocol. The work is in the modules below, one a kind of thing.
//!
//! Calls of powers that no provider here has (state stores) answer "unimplemented", which is what
//! the generated trait does by default.

mod action;
mod apply;
mod catalog;
mod data_source;
mod ephemeral;
mod function;
mod generate;
mod import;
mod list;
mod move_state;
mod plan;
mod provider;
mod read;
mod schema;
mod upgrade;
mod validate;
mod walk;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use self::catalog::Catalog;
pub(crate) use self::catalog::{ActionType, EphemeralType, ResourceType};
use self::walk::Walk;
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::log;
use crate::proto::tfplugin6 as pb;
use crate::proto::tfplugin6::provider_server::Provider as Protocol;
use crate::provider::erased::AnyProvider;
use crate::provider::operation::{Call, Notes};
use crate::provider::plan::AnyClient;
use crate::provider::under_way::labelled;

/// The provider as a service.
pub(crate) struct Service {
    catalog: Arc<Catalog>,
    version: &'static str,
    client: RwLock<Client>,
    has_settings: AtomicBool,
    walk: Walk,
    stop: Mutex<CancellationToken>,
}

/// The client, or why there is none.
enum Client {
    Ready(AnyClient),
    Missing(String),
}

impl Service {
    pub(crate) fn new(provider: Box<dyn AnyProvider>, version: &'static str) -> Self {
        Self {
            catalog: Arc::new(Catalog::new(provider)),
            version,
            client: RwLock::new(Client::Missing("Terraform has not configured it".to_owned())),
            has_settings: AtomicBool::new(false),
            walk: Walk::default(),
            stop: Mutex::new(CancellationToken::new()),
        }
    }

    /// What the provider offers.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Cancelled by StopProvider. It is a child, so that nothing of a call outlives it.
    fn cancel(&self) -> CancellationToken {
        self.stop
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .child_token()
    }

    /// Cancels what is under way; later calls are served as before.
    fn stop(&self) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *stop).cancel();
    }

    fn client(&self) -> Option<AnyClient> {
        match &*self.client.read().unwrap_or_else(PoisonError::into_inner) {
            Client::Ready(client) => Some(Arc::clone(client)),
            Client::Missing(_) => None,
        }
    }

    /// Configures the provider with a client from elsewhere.
    pub(crate) fn set_ready(&self, client: AnyClient) {
        self.set_client(Client::Ready(client));
    }

    /// Whether the run may be a mocked one. Such a run sends no settings; nor does `terraform validate` where the provider's
    /// block is empty.
    fn may_be_mocked(&self) -> bool {
        !self.has_settings.load(Ordering::Relaxed)
    }

    fn settings_have_come(&self) {
        self.has_settings.store(true, Ordering::Relaxed);
    }

    /// A plan or an apply begins.
    pub(crate) fn walk_begins(&self) {
        self.walk.begin();
    }

    fn set_client(&self, client: Client) {
        self.settings_have_come();
        self.walk_begins();
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = client;
    }

    /// What an operation needs; an error where the provider is not configured.
    fn call(&self, subject: &str, timeout: Duration, private: BTreeMap<String, Vec<u8>>) -> Result<Call> {
        let client = match &*self.client.read().unwrap_or_else(PoisonError::into_inner) {
            Client::Ready(client) => Arc::clone(client),
            Client::Missing(reason) => return Err(unconfigured(reason)),
        };
        let notes = Notes {
            private,
            ..Notes::default()
        };
        // A deadline beyond what the clock can hold is as good as none.
        let now = tokio::time::Instant::now();
        let deadline = now
            .checked_add(timeout)
            .unwrap_or(now + Duration::from_hours(24 * 365));
        Ok(Call {
            subject: subject.to_owned(),
            client,
            cancel: self.cancel(),
            deadline,
            notes: Mutex::new(notes),
        })
    }
}

fn unconfigured(reason: &str) -> Diagnostics {
    Diagnostic::error("The provider is not configured")
        .detail(format!("This needs the provider's settings, but {reason}."))
        .into()
}

/// Runs provider code, under a label that says what for. A panic in it becomes an error; the state that it saved is not lost.
async fn guard<T>(label: String, future: impl Future<Output = Result<T>>) -> Result<T> {
    let mut future = Box::pin(labelled(label, future));
    std::future::poll_fn(move |cx| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        polled.unwrap_or_else(|panic| Poll::Ready(Err(crashed(&*panic))))
    })
    .await
}

/// The same for provider code that does not wait.
fn guard_now<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| Err(crashed(&*panic)))
}

fn crashed(panic: &(dyn std::any::Any + Send)) -> Diagnostics {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Diagnostic::error("The provider crashed")
        .detail(format!("This is a bug in the provider: {text}. What was done before is in the state as far as it was saved."))
        .into()
}

/// Logs a call of the protocol with its duration.
async fn logged<T>(
    rpc: &'static str,
    subject: &str,
    future: impl Future<Output = T>,
) -> Result<Response<T>, Status> {
    if !log::protocol_enabled(log::Level::Debug) {
        return Ok(Response::new(future.await));
    }
    let begun = Instant::now();
    log::protocol(
        log::Level::Debug,
        "Received request",
        &[("tf_rpc", rpc), ("tf_resource_type", subject)],
    );
    let answer = future.await;
    let duration = begun.elapsed().as_millis().to_string();
    let fields = [
        ("tf_rpc", rpc),
        ("tf_resource_type", subject),
        ("tf_req_duration_ms", &duration),
    ];
    log::protocol(log::Level::Debug, "Served request", &fields);
    Ok(Response::new(answer))
}

/// One method of the service: logs, and calls the function that answers the message, sync or async.
macro_rules! serve {
    (@bare $function:path, $service:expr, $message:expr) => { std::future::ready($function($service)) };
    (@now $function:path, $service:expr, $message:expr) => { std::future::ready($function($service, &$message)) };
    (@later $function:path, $service:expr, $message:expr) => { $function($service, $message) };
    (
        $($when:ident $method:ident, $rpc:ident, $subject:expr => $function:path;)*
        --- streams ---
        $($streamed:ident, $streamed_rpc:ident, $streamed_subject:expr => $stream:path;)*
    ) => {
        #[tonic::async_trait]
        impl Protocol for Service {
            $(async fn $method(
                &self,
                request: Request<pb::$method::Request>,
            ) -> Result<Response<pb::$method::Response>, Status> {
                let message = request.into_inner();
                let subject: fn(&pb::$method::Request) -> String = $subject;
                let subject = subject(&message);
                logged(stringify!($rpc), &subject, async { serve!(@$when $function, self, message).await }).await
            })*
            $(async fn $streamed(
                &self,
                request: Request<pb::$streamed::Request>,
            ) -> Result<Response<BoxStream<pb::$streamed::Event>>, Status> {
                let message = request.into_inner();
                let subject: fn(&pb::$streamed::Request) -> String = $streamed_subject;
                let subject = subject(&message);
                logged(stringify!($streamed_rpc), &subject, async { $stream(self, &message) }).await
            })*
        }
    };
}

serve! {
    bare get_metadata, GetMetadata, |_| String::new() => provider::metadata;
    bare get_provider_schema, GetProviderSchema, |_| String::new() => provider::schema;
    bare get_resource_identity_schemas, GetResourceIdentitySchemas, |_| String::new() => provider::identity_schemas;
    now validate_provider_config, ValidateProviderConfig, |_| String::new() => provider::validate;
    later configure_provider, ConfigureProvider, |_| String::new() => provider::configure;
    bare stop_provider, StopProvider, |_| String::new() => provider::stop;
    now validate_resource_config, ValidateResourceConfig, |m| m.type_name.clone() => plan::validate;
    now upgrade_resource_state, UpgradeResourceState, |m| m.type_name.clone() => upgrade::state;
    now upgrade_resource_identity, UpgradeResourceIdentity, |m| m.type_name.clone() => upgrade::identity;
    later read_resource, ReadResource, |m| m.type_name.clone() => read::read;
    later plan_resource_change, PlanResourceChange, |m| m.type_name.clone() => plan::plan;
    later apply_resource_change, ApplyResourceChange, |m| m.type_name.clone() => apply::apply;
    now move_resource_state, MoveResourceState, |m| m.target_type_name.clone() => move_state::moved;
    now import_resource_state, ImportResourceState, |m| m.type_name.clone() => import::import;
    now generate_resource_config, GenerateResourceConfig, |m| m.type_name.clone() => generate::config;
    now validate_list_resource_config, ValidateListResourceConfig, |m| m.type_name.clone() => list::validate;
    now validate_data_resource_config, ValidateDataResourceConfig, |m| m.type_name.clone() => data_source::validate;
    later read_data_source, ReadDataSource, |m| m.type_name.clone() => data_source::read;
    now validate_ephemeral_resource_config, ValidateEphemeralResourceConfig, |m| m.type_name.clone() => ephemeral::validate;
    later open_ephemeral_resource, OpenEphemeralResource, |m| m.type_name.clone() => ephemeral::open;
    later renew_ephemeral_resource, RenewEphemeralResource, |m| m.type_name.clone() => ephemeral::renew;
    later close_ephemeral_resource, CloseEphemeralResource, |m| m.type_name.clone() => ephemeral::close;
    now validate_action_config, ValidateActionConfig, |m| m.action_type.clone() => action::validate;
    now plan_action, PlanAction, |m| m.action_type.clone() => action::plan;
    bare get_functions, GetFunctions, |_| String::new() => function::definitions;
    now call_function, CallFunction, |m| m.name.clone() => function::call;
    --- streams ---
    invoke_action, InvokeAction, |m| m.action_type.clone() => action::invoke;
    list_resource, ListResource, |m| m.type_name.clone() => list::list;
}
