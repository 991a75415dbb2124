//! Credentials leave with each request, and AWS may repeat them in its answer: what is sent is hidden in every message and
//! log line from then on.

use aws_sdk_eventbridge::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_eventbridge::config::{ConfigBag, Credentials, Intercept, RuntimeComponents};

/// Hides the session token of each request before the request is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct HideSent;

impl Intercept for HideSent {
    fn name(&self) -> &'static str {
        "HideSent"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if let Some(token) = context.request().headers().get("x-amz-security-token") {
            tfplugin::log::hide(token);
        }
        Ok(())
    }
}

/// Hides credentials that were found.
pub(super) fn hide(found: &Credentials) {
    tfplugin::log::hide(found.secret_access_key());
    if let Some(token) = found.session_token() {
        tfplugin::log::hide(token);
    }
}
