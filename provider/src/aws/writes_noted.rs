//! Every call that may change something is noted before it is sent: what was read until then is no answer to later reads.

use aws_sdk_eventbridge::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_eventbridge::config::{ConfigBag, Intercept, RuntimeComponents};

use crate::shared_read::Writes;

/// How the names of operations begin that change nothing.
const READS: [&str; 5] = ["Describe", "List", "Get", "Filter", "Test"];

/// Notes writes of a service whose requests name their operation in a header.
#[derive(Clone, Debug)]
pub(super) struct NoteWrites(pub(super) Writes);

impl Intercept for NoteWrites {
    fn name(&self) -> &'static str {
        "NoteWrites"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let target = context.request().headers().get("x-amz-target");
        if writes(target.unwrap_or_default()) {
            self.0.note();
        }
        Ok(())
    }
}

/// Whether the operation that a request names (`AWSEvents.PutRule`) may change something.
fn writes(target: &str) -> bool {
    let operation = target.rsplit('.').next().unwrap_or_default();
    !READS.iter().any(|read| operation.starts_with(read))
}

#[cfg(test)]
mod tests {
    use super::writes;

    #[test]
    fn what_is_not_known_to_read_writes() {
        for (target, want) in [
            ("AWSEvents.PutRule", true),
            ("AWSEvents.DescribeRule", false),
            ("AWSEvents.ListTargetsByRule", false),
            ("AWSEvents.TestEventPattern", false),
            ("Logs_20140328.FilterLogEvents", false),
            ("Logs_20140328.PutResourcePolicy", true),
            ("AmazonSQS.GetQueueAttributes", false),
            ("", true),
        ] {
            assert_eq!(writes(target), want, "{target}");
        }
    }
}
