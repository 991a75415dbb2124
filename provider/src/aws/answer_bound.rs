//! Answers of AWS's are read up to a bound: one that never ends must not fill the memory.

use aws_sdk_eventbridge::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_eventbridge::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The largest answer that is read: a page of log events has at most 1 MiB of them, which JSON may escape.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bounds the body of each answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct BoundAnswers;

impl Intercept for BoundAnswers {
    fn name(&self) -> &'static str {
        "BoundAnswers"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let inner = std::mem::replace(body, SdkBody::taken());
        *body = bounded(inner, BYTES_MAX);
        Ok(())
    }
}

/// A body that fails once it is longer than the bound.
fn bounded(body: SdkBody, bytes_max: usize) -> SdkBody {
    SdkBody::from_body_1_x(Limited::new(body, bytes_max).map_err(move |error| {
        if error.is::<LengthLimitError>() {
            format!("the answer has more than {bytes_max} bytes").into()
        } else {
            error
        }
    }))
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::byte_stream::ByteStream;

    use super::*;

    #[tokio::test]
    async fn a_body_ends_in_an_error_beyond_its_bound() {
        for (left, is_read) in [(10, true), (9, false), (0, false)] {
            let body = bounded(SdkBody::from(vec![b'x'; 10]), left);
            let read = ByteStream::new(body).collect().await;
            assert_eq!(read.is_ok(), is_read, "{left}: {:?}", read.err());
        }
    }
}
