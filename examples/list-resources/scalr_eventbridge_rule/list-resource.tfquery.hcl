list "scalr_eventbridge_rule" "all" {
  provider         = scalr
  include_resource = true
  limit            = 300
}
