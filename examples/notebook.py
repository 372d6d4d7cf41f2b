# A notebook as a script; the cells begin with %% (VS Code and Jupytext open it as a notebook).
# From the environment: USER_TOKEN (the JWT of whoever asks) and AGENT_URL, where AgentCore Runtime takes invocations:
# https://bedrock-agentcore.REGION.amazonaws.com/runtimes/ESCAPED_ARN/invocations?qualifier=DEFAULT

# %% The module of this project, where AWS's sample imports oauth2_callback_server
import json
import os
import sys
import urllib.request

from agentcore_session_binding import (
    SessionBindingError,
    get_oauth2_callback_url,
    store_token_in_oauth2_callback_server,
    store_user_token,
    wait_for_authorization,
    wait_for_oauth2_server_to_be_ready,
)

user_token = os.environ["USER_TOKEN"]

# %% Is the service there? What must the agent's workload identity allow?
if not wait_for_oauth2_server_to_be_ready():
    sys.exit("Start the service first: npm start")
print("The callback URL to be registered:", get_oauth2_callback_url())

# %% As in the sample: the service knows the user before the agent is asked
store_token_in_oauth2_callback_server(user_token)


# %% Ask the agent
def invoke(prompt):
    request = urllib.request.Request(
        os.environ["AGENT_URL"],
        data=json.dumps({"prompt": prompt}).encode(),
        headers={"Authorization": f"Bearer {user_token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


answer = invoke("What are my private repositories?")

# %% It needs consent: pin the flow, show the start link (and never the authorization URL), wait until it is bound
authorization_url = answer.get("authorization_url")
if authorization_url is not None:
    stored = store_user_token(user_token, authorization_url=authorization_url, label="GitHub for the notebook")
    print("Please connect your account:", stored.start_url, flush=True)
    try:
        wait_for_authorization(user_token, authorization_url=authorization_url)
    except SessionBindingError as error:
        sys.exit(f"Not connected: {error.code}")
    answer = invoke("What are my private repositories?")

# %% The answer
print("Your private repositories:")
for repository in answer["repositories"]:
    print(repository)
