import os
from dataclasses import dataclass


@dataclass
class Settings:
    assemblyai_host: str = "wss://api.assemblyai.com"
    assemblyai_api_key: str = os.environ.get("ASSEMBLYAI_API_KEY", "")
    sample_rate: int = 16000


settings = Settings()
