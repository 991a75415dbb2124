data "scalr_eventbridge_custom_bus" "events" {
  name = "platform-events"
}

output "replays_begin_no_earlier_than" {
  value = data.scalr_eventbridge_custom_bus.events.retention_window_start_time
}
