//! Tests a provider without Terraform: the real calls, in process, with JSON for values.
//!
//! What Terraform would refuse fails here too: a configuration that does not fit the schema, a plan that is not what
//! the configuration says, a result that is not what was planned, an unknown left after apply, a changed identity.
//!
//! ```
//! # use serde_json::json;
//! # use tfplugin::testing::Harness;
//! # async fn test<Tiny: tfplugin::Provider>(folder: &str) -> tfplugin::Result<()> {
//! let harness = Harness::new::<Tiny>();
//! harness.configure(json!({ "folder": folder })).await?;
//! let note = harness.resource("tiny_note");
//! let state = note.create(json!({ "name": "a" })).await?;
//! assert_eq!(state.json()["text"], "nothing yet");
//! note.assert_stable(&state, json!({ "name": "a" })).await;
//! # Ok(())
//! # }
//! ```

mod action;
mod convert;
mod ephemeral;
mod list;
mod resource;

use serde_json::Value as Json;
use tonic::Request;

pub use self::action::{ActionHarness, Invoked};
pub use self::ephemeral::{EphemeralHarness, Open};
pub use self::list::{ListStream, Listed, ListedObject, Wanted};
pub use self::resource::{Applied, MovedFrom, Planned, ResourceHarness, State};
use crate::cty::Dynamic;
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::proto::tfplugin6 as pb;
use crate::proto::tfplugin6::provider_server::Provider as _;
use crate::provider::function::FunctionError;
use crate::provider::registry::Provider;
use crate::rpc::Service;

/// An unknown value in the JSON of configurations, plans and arguments.
pub const UNKNOWN: &str = "\u{1}unknown\u{1}";

/// A provider under test.
pub struct Harness {
    service: Service,
    observer: Option<Observer>,
}

/// Gets to see each diagnostic that the provider gives.
type Observer = Box<dyn Fn(&Diagnostic) + Send + Sync>;

impl Harness {
    /// Puts a provider under test. A provider that is put together wrongly panics here.
    pub fn new<P: Provider>() -> Self {
        let service = Service::new(crate::provider::erased::provider::<P>(), "0.0.0-test");
        let faults = &service.catalog().faults;
        assert!(faults.is_empty(), "{faults}");
        Self {
            service,
            observer: None,
        }
    }

    /// Puts a provider under test that is configured already: its resources work with this client.
    pub fn with_client<P: Provider>(client: P::Client) -> Self {
        let harness = Self::new::<P>();
        harness.service.set_ready(std::sync::Arc::new(client));
        harness
    }

    /// Shows each diagnostic that the provider gives from here on to an observer, for a test that collects them.
    pub fn observed_by(mut self, observer: impl Fn(&Diagnostic) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Diagnostics from their messages.
    fn diagnostics(&self, messages: Vec<pb::Diagnostic>) -> Diagnostics {
        let diags = convert::diagnostics(messages);
        if let Some(observer) = &self.observer {
            diags.iter().for_each(observer);
        }
        diags
    }

    /// The same where an error is a failure.
    fn ok(&self, messages: Vec<pb::Diagnostic>) -> Result<Diagnostics> {
        let diags = self.diagnostics(messages);
        if diags.has_errors() { Err(diags) } else { Ok(diags) }
    }

    /// Configures the provider.
    pub async fn configure(&self, config: Json) -> Result<Diagnostics> {
        let catalog = self.service.catalog();
        let value = convert::config(&config, &catalog.object, &catalog.ty)?;
        let config = Some(convert::message(&value, &catalog.ty));
        let valid =
            self.service
                .validate_provider_config(Request::new(pb::validate_provider_config::Request {
                    config: config.clone(),
                }));
        let mut diags = self.diagnostics(answer(valid.await).diagnostics);
        if !diags.has_errors() {
            let request = pb::configure_provider::Request {
                terraform_version: "1.11.4".to_owned(),
                config,
                client_capabilities: None,
            };
            let configured = self.service.configure_provider(Request::new(request)).await;
            diags.extend(self.diagnostics(answer(configured).diagnostics));
        }
        if diags.has_errors() { Err(diags) } else { Ok(diags) }
    }

    /// A managed resource, by its full name.
    pub fn resource(&self, name: &str) -> ResourceHarness<'_> {
        match self.service.catalog().resource(name) {
            Ok(one) => ResourceHarness::new(self, one),
            Err(diags) => panic!("{diags}"),
        }
    }

    /// An action, by its full name.
    pub fn action(&self, name: &str) -> ActionHarness<'_> {
        match self.service.catalog().action(name) {
            Ok(one) => ActionHarness::new(self, one),
            Err(diags) => panic!("{diags}"),
        }
    }

    /// An ephemeral resource, by its full name.
    pub fn ephemeral(&self, name: &str) -> EphemeralHarness<'_> {
        match self.service.catalog().ephemeral(name) {
            Ok(one) => EphemeralHarness::new(self, one),
            Err(diags) => panic!("{diags}"),
        }
    }

    /// Reads a data source, by its full name. Warnings are not returned.
    pub async fn data_source(&self, name: &str, config: Json) -> Result<Json> {
        let one = self.service.catalog().data_source(name)?;
        let value = convert::config(&config, &one.object, &one.ty)?;
        let config = Some(convert::message(&value, &one.ty));
        let valid = self.service.validate_data_resource_config(Request::new(
            pb::validate_data_resource_config::Request {
                type_name: name.to_owned(),
                config: config.clone(),
            },
        ));
        self.ok(answer(valid.await).diagnostics)?;
        let read = self
            .service
            .read_data_source(Request::new(pb::read_data_source::Request {
                type_name: name.to_owned(),
                config,
                ..Default::default()
            }));
        let read = answer(read.await);
        self.ok(read.diagnostics)?;
        Ok(convert::show(&convert::value(read.state.as_ref(), &one.ty)))
    }

    /// Calls a function.
    pub async fn call(&self, name: &str, arguments: &[Json]) -> Result<Json, FunctionError> {
        let function = self.service.catalog().functions.get(name);
        let function =
            function.ok_or_else(|| FunctionError::new(format!("there is no function `{name}`")))?;
        let attributes = &function.object.attributes;
        let message = |(position, json): (usize, &Json)| {
            let attr = attributes.get(position).or(attributes.last());
            let ty = attr.map_or(crate::cty::Type::Dynamic, |attr| attr.shape.ty());
            let value = convert::typed(json, &ty).map_err(|error| FunctionError::new(error.to_string()))?;
            Ok(convert::message(&value, &ty))
        };
        let arguments = arguments
            .iter()
            .enumerate()
            .map(message)
            .collect::<Result<_, FunctionError>>()?;
        let request = pb::call_function::Request {
            name: name.to_owned(),
            arguments,
        };
        let called = answer(self.service.call_function(Request::new(request)).await);
        match called.error {
            Some(error) => Err(FunctionError {
                text: self.seen(error.text),
                argument: error.function_argument,
                name: None,
            }),
            None => Ok(convert::show(&convert::value(
                called.result.as_ref(),
                &function.output,
            ))),
        }
    }

    /// The text of a function's error, which has no diagnostic of its own.
    fn seen(&self, text: String) -> String {
        if let Some(observer) = &self.observer {
            observer(&Diagnostic::error(text.as_str()));
        }
        text
    }

    /// Asks the provider to stop what it is doing, as Terraform does on Ctrl-C.
    pub async fn stop(&self) {
        answer(
            self.service
                .stop_provider(Request::new(pb::stop_provider::Request {}))
                .await,
        );
    }

    /// The schema as Terraform gets it, as JSON with its types as Terraform writes them: what a snapshot test holds.
    pub async fn schema(&self) -> Json {
        let schema = self
            .service
            .get_provider_schema(Request::new(pb::get_provider_schema::Request {}))
            .await;
        convert::schema(&answer(schema))
    }
}

/// A value with its type from plain JSON, as an HCL literal would give it.
pub fn dynamic(json: &Json) -> Result<Dynamic> {
    Dynamic::from_json(json).map_err(|error| Diagnostic::error(error.to_string()).into())
}

/// The service answers every call; a status would be a bug of this crate.
fn answer<T>(result: Result<tonic::Response<T>, tonic::Status>) -> T {
    match result {
        Ok(response) => response.into_inner(),
        Err(status) => panic!("the call was refused: {status}"),
    }
}
