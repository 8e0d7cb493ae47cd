# Which ranges lie outside the VPC, and which overlap. Terraform has no function for either, so addresses become numbers.
locals {
  ranges = distinct(concat(local.private, local.public))

  numbers = { for range in concat(local.ranges, [var.cidr]) : range => {
    first = sum([for index, part in split(".", cidrhost(range, 0)) : tonumber(part) * pow(256, 3 - index)])
    size  = pow(2, 32 - tonumber(split("/", range)[1]))
  } }

  outside = [for range in local.ranges : range if
    local.numbers[range].first < local.numbers[var.cidr].first
    || local.numbers[range].first + local.numbers[range].size > local.numbers[var.cidr].first + local.numbers[var.cidr].size
  ]

  listed = concat(local.private, local.public)
  overlaps = flatten([for one, left in local.listed : [for other, right in local.listed : "${left} and ${right}" if
    one < other
    && local.numbers[left].first < local.numbers[right].first + local.numbers[right].size
    && local.numbers[right].first < local.numbers[left].first + local.numbers[left].size
  ]])
}
