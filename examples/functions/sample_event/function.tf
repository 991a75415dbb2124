output "an_audit_log_event" {
  value = jsondecode(provider::scalr::sample_event("AuditLog")).detail.request.action
}
