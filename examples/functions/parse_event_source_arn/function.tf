output "parts" {
  value = provider::scalr::parse_event_source_arn(
    "arn:aws:events:us-east-1::event-source/aws.partner/scalr.com/my-account/prod",
  )
}
