terraform import ecr_tag.production 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:production
