# aws.partner/scalr.com/my-account/prod
output "name" {
  value = provider::scalr::event_source_name("my-account", "prod")
}
