//! What is served beside the provider: shutdown, health, and go-plugin's two streams, which stay empty.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio_util::sync::CancellationToken;
use tonic::codegen::BoxStream;
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use crate::proto::health::health_server::{Health, HealthServer};
use crate::proto::health::{HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus};
use crate::proto::plugin::grpc_broker_server::{GrpcBroker, GrpcBrokerServer};
use crate::proto::plugin::grpc_controller_server::{GrpcController, GrpcControllerServer};
use crate::proto::plugin::grpc_stdio_server::{GrpcStdio, GrpcStdioServer};
use crate::proto::plugin::{ConnInfo, Empty, StdioData};
use crate::proto::tfplugin6::provider_server::ProviderServer;
use crate::rpc::Service;

/// The largest message either way.
pub(super) const MESSAGE_BYTES_MAX: usize = 256 << 20;

/// All services of a connection; cheap to clone.
#[derive(Clone)]
pub(super) struct Services {
    pub(super) provider: ProviderServer<Service>,
    pub(super) controller: GrpcControllerServer<Control>,
    pub(super) broker: GrpcBrokerServer<Silent>,
    pub(super) stdio: GrpcStdioServer<Silent>,
    pub(super) health: HealthServer<Silent>,
    shutdown: CancellationToken,
}

impl Services {
    pub(super) fn new(service: Service) -> Self {
        let shutdown = CancellationToken::new();
        let silent = Arc::new(Silent {
            shutdown: shutdown.clone(),
        });
        Self {
            provider: ProviderServer::new(service)
                .max_decoding_message_size(MESSAGE_BYTES_MAX)
                .max_encoding_message_size(MESSAGE_BYTES_MAX),
            controller: GrpcControllerServer::new(Control {
                shutdown: shutdown.clone(),
            }),
            broker: GrpcBrokerServer::from_arc(Arc::clone(&silent)),
            stdio: GrpcStdioServer::from_arc(Arc::clone(&silent)),
            health: HealthServer::from_arc(silent),
            shutdown,
        }
    }

    /// Cancelled by Shutdown.
    pub(super) fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }
}

pub(super) struct Control {
    shutdown: CancellationToken,
}

#[tonic::async_trait]
impl GrpcController for Control {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.shutdown.cancel();
        Ok(Response::new(Empty {}))
    }
}

/// Streams that stay open and silent until the program ends.
pub(super) struct Silent {
    shutdown: CancellationToken,
}

impl Silent {
    fn stream<T: 'static>(&self) -> Response<BoxStream<T>> {
        Response::new(Box::pin(Never {
            end: Box::pin(self.shutdown.clone().cancelled_owned()),
            item: PhantomData,
        }))
    }
}

/// A stream without items, which ends with the program.
struct Never<T> {
    end: Pin<Box<tokio_util::sync::WaitForCancellationFutureOwned>>,
    item: PhantomData<fn() -> T>,
}

impl<T> Stream for Never<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.end.as_mut().poll(cx).map(|()| None)
    }
}

#[tonic::async_trait]
impl GrpcBroker for Silent {
    async fn start_stream(
        &self,
        _: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        Ok(self.stream())
    }
}

#[tonic::async_trait]
impl GrpcStdio for Silent {
    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<BoxStream<StdioData>>, Status> {
        Ok(self.stream())
    }
}

#[tonic::async_trait]
impl Health for Silent {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match request.get_ref().service.as_str() {
            "" | "plugin" => Ok(Response::new(HealthCheckResponse {
                status: ServingStatus::Serving.into(),
            })),
            other => Err(Status::not_found(format!("no service `{other}`"))),
        }
    }
}
