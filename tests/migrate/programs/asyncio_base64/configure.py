auth_key = "YOUR-API-KEY"
