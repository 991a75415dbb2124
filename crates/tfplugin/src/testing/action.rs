//! One action under test.

use std::future::poll_fn;

use serde_json::Value as Json;
use tonic::Request;

use super::{Harness, answer, convert};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::proto::tfplugin6 as pb;
use crate::proto::tfplugin6::invoke_action::event::Type;
use crate::proto::tfplugin6::provider_server::Provider as _;
use crate::rpc::ActionType;

/// An action under test.
pub struct ActionHarness<'a> {
    harness: &'a Harness,
    one: &'a ActionType,
}

/// What an invocation gave.
#[derive(Clone, Debug, Default)]
pub struct Invoked {
    /// What the user saw while the action ran.
    pub progress: Vec<String>,
    /// Errors and warnings.
    pub diags: Diagnostics,
}

impl<'a> ActionHarness<'a> {
    pub(super) fn new(harness: &'a Harness, one: &'a ActionType) -> Self {
        Self { harness, one }
    }

    fn message(&self, config: &Json) -> Result<Option<pb::DynamicValue>> {
        let value = convert::config(config, &self.one.object, &self.one.ty)?;
        Ok(Some(convert::message(&value, &self.one.ty)))
    }

    /// Validates a configuration.
    pub async fn validate(&self, config: Json) -> Result<Diagnostics> {
        let request = pb::validate_action_config::Request {
            action_type: self.one.name.clone(),
            config: self.message(&config)?,
        };
        let valid = self.harness.service.validate_action_config(Request::new(request));
        self.harness.ok(answer(valid.await).diagnostics)
    }

    /// Plans an invocation.
    pub async fn plan(&self, config: Json) -> Result<Diagnostics> {
        let request = pb::plan_action::Request {
            action_type: self.one.name.clone(),
            config: self.message(&config)?,
            client_capabilities: None,
        };
        let planned = self.harness.service.plan_action(Request::new(request));
        self.harness.ok(answer(planned.await).diagnostics)
    }

    /// Validates, plans and invokes, as far as there is no error. A stream that does not end with its completion is one.
    pub async fn invoke(&self, config: Json) -> Invoked {
        match self.prepared(config).await {
            Ok(message) => self.invoke_now(message).await,
            Err(diags) => Invoked {
                diags,
                ..Invoked::default()
            },
        }
    }

    async fn prepared(&self, config: Json) -> Result<Option<pb::DynamicValue>> {
        let message = self.message(&config)?;
        self.validate(config.clone()).await?;
        self.plan(config).await?;
        Ok(message)
    }

    async fn invoke_now(&self, config: Option<pb::DynamicValue>) -> Invoked {
        let request = pb::invoke_action::Request {
            action_type: self.one.name.clone(),
            config,
            client_capabilities: None,
        };
        let mut stream = answer(self.harness.service.invoke_action(Request::new(request)).await);
        let mut invoked = Invoked::default();
        let mut completed = false;
        while let Some(event) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            let what = event.ok().and_then(|event| event.r#type);
            match what.filter(|_| !completed) {
                Some(Type::Progress(one)) => invoked.progress.push(one.message),
                Some(Type::Completed(one)) => {
                    completed = true;
                    invoked.diags.extend(self.harness.diagnostics(one.diagnostics));
                }
                None => completed = false,
            }
        }
        if !completed {
            let broken = Diagnostic::error("The stream of the action does not end with its completion");
            invoked.diags.push(broken);
        }
        invoked
    }
}
