//! The provider's own part of the `User-Agent` of AWS's calls, after the SDK's: who calls, and what for.

use aws_sdk_eventbridge::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_eventbridge::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_eventbridge::error::BoxError;

const HEADER: &str = "user-agent";

/// Adds a text to the header, which is not part of a call's signature, and the operation under way
/// (`scalr_eventbridge_rule/create`): CloudTrail shows it, and the acceptance tests compare it with `permissions.json`.
#[derive(Clone, Debug)]
pub(super) struct UserAgent(pub(super) String);

impl Intercept for UserAgent {
    fn name(&self) -> &'static str {
        "UserAgent"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        let sdk = headers.get(HEADER).unwrap_or_default().to_owned();
        let under_way = tfplugin::under_way().unwrap_or_default();
        let parts = [sdk, self.0.clone(), under_way];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        headers.try_insert(HEADER, parts.join(" "))?;
        Ok(())
    }
}
