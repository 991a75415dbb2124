resource "scalr_eventbridge_custom_bus" "scalr" {
  name = "scalr"
}

data "scalr_eventbridge_custom_bus" "scalr" {
  name = scalr_eventbridge_custom_bus.scalr.name
}

output "replays_begin_no_earlier_than" {
  value = data.scalr_eventbridge_custom_bus.scalr.retention_window_start_time
}
