//! Answers of AWS's are read up to a bound: one that never ends must not fill the memory.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_sdk_eventbridge::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_eventbridge::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_types::body::SdkBody;
use http_body::{Body, Frame, SizeHint};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The largest answer that is read: a page of log events has at most 1 MiB of them, which JSON may escape.
const BYTES_MAX: u64 = 8 * 1024 * 1024;

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
        *body = SdkBody::from_body_1_x(Bounded {
            inner: Box::pin(inner),
            left: BYTES_MAX,
        });
        Ok(())
    }
}

/// A body that fails once it is longer than the bound.
struct Bounded {
    inner: Pin<Box<SdkBody>>,
    left: u64,
}

impl Body for Bounded {
    type Data = <SdkBody as Body>::Data;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, BoxError>>> {
        let frame = ready!(self.inner.as_mut().poll_frame(cx));
        let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
        let bytes = data.map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
        let Some(left) = self.left.checked_sub(bytes) else {
            let why = format!("the answer has more than {BYTES_MAX} bytes");
            return Poll::Ready(Some(Err(why.into())));
        };
        self.left = left;
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&*self.inner)
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::byte_stream::ByteStream;

    use super::*;

    #[tokio::test]
    async fn a_body_ends_in_an_error_beyond_its_bound() {
        for (left, is_read) in [(10, true), (9, false), (0, false)] {
            let inner = Box::pin(SdkBody::from(vec![b'x'; 10]));
            let body = SdkBody::from_body_1_x(Bounded { inner, left });
            let read = ByteStream::new(body).collect().await;
            assert_eq!(read.is_ok(), is_read, "{left}: {:?}", read.err());
        }
    }
}
