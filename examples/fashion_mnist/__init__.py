"""The same network trained with neglog.torch and with torch, judged and calibrated."""
