environment        = "production"
release            = "v1"
cidr               = "10.20.0.0/16"
kubernetes_version = "1.34"
