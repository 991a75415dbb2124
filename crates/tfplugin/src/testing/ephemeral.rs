//! One ephemeral resource under test.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;
use tonic::Request;

use super::{Harness, answer, convert};
use crate::diag::{Diagnostics, Result};
use crate::proto::tfplugin6 as pb;
use crate::proto::tfplugin6::provider_server::Provider as _;
use crate::rpc::EphemeralType;

/// An ephemeral resource under test.
pub struct EphemeralHarness<'a> {
    harness: &'a Harness,
    one: &'a EphemeralType,
}

/// What is open.
#[derive(Clone, Debug)]
pub struct Open {
    /// What the configuration sees of it.
    pub result: Json,
    /// When it is to be renewed.
    pub renew_at: Option<SystemTime>,
    /// Warnings of the last call.
    pub warnings: Diagnostics,
    private: Option<Vec<u8>>,
}

/// The time of a message.
fn time(message: Option<prost_types::Timestamp>) -> Option<SystemTime> {
    let message = message?;
    let seconds = u64::try_from(message.seconds).ok()?;
    Some(UNIX_EPOCH + Duration::new(seconds, u32::try_from(message.nanos).ok()?))
}

impl<'a> EphemeralHarness<'a> {
    pub(super) fn new(harness: &'a Harness, one: &'a EphemeralType) -> Self {
        Self { harness, one }
    }

    fn message(&self, config: &Json) -> Result<Option<pb::DynamicValue>> {
        let value = convert::config(config, &self.one.object, &self.one.ty)?;
        Ok(Some(convert::message(&value, &self.one.ty)))
    }

    /// Validates a configuration.
    pub async fn validate(&self, config: Json) -> Result<Diagnostics> {
        let request = pb::validate_ephemeral_resource_config::Request {
            type_name: self.one.name.clone(),
            config: self.message(&config)?,
        };
        let service = &self.harness.service;
        let valid = service.validate_ephemeral_resource_config(Request::new(request));
        self.harness.ok(answer(valid.await).diagnostics)
    }

    /// Validates a configuration and opens it.
    pub async fn open(&self, config: Json) -> Result<Open> {
        self.validate(config.clone()).await?;
        let request = pb::open_ephemeral_resource::Request {
            type_name: self.one.name.clone(),
            config: self.message(&config)?,
            client_capabilities: None,
        };
        let service = &self.harness.service;
        let opened = answer(service.open_ephemeral_resource(Request::new(request)).await);
        Ok(Open {
            warnings: self.harness.ok(opened.diagnostics)?,
            result: convert::show(&convert::value(opened.result.as_ref(), &self.one.ty)),
            renew_at: time(opened.renew_at),
            private: opened.private,
        })
    }

    /// Renews what is open.
    pub async fn renew(&self, open: &mut Open) -> Result<()> {
        let request = pb::renew_ephemeral_resource::Request {
            type_name: self.one.name.clone(),
            private: open.private.clone(),
        };
        let service = &self.harness.service;
        let renewed = answer(service.renew_ephemeral_resource(Request::new(request)).await);
        open.warnings = self.harness.ok(renewed.diagnostics)?;
        (open.renew_at, open.private) = (time(renewed.renew_at), renewed.private);
        Ok(())
    }

    /// Closes what is open; warnings are returned.
    pub async fn close(&self, open: Open) -> Result<Diagnostics> {
        let request = pb::close_ephemeral_resource::Request {
            type_name: self.one.name.clone(),
            private: open.private,
        };
        let service = &self.harness.service;
        let closed = answer(service.close_ephemeral_resource(Request::new(request)).await);
        self.harness.ok(closed.diagnostics)
    }
}
