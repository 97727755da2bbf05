FROM python:3.13-slim
WORKDIR /app
COPY pyproject.toml README.md requirements.lock beat_schedule.py ./
COPY syncsvc syncsvc
COPY workers workers
RUN pip install --no-cache-dir --constraint requirements.lock . \
 && useradd --create-home syncsvc && mkdir -p /data/run && chown -R syncsvc /data && chmod 700 /data /data/run
USER syncsvc
ENV SYNCSVC_DATA_DIR=/data
CMD ["syncsvc", "--help"]
