"""What operators load into Prometheus and Grafana."""
